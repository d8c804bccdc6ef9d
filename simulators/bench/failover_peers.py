"""The neighbour of `failover`: liquidsoap's `fallback` from a stream of Icecast to a file, written into a pipe.

Twice at the same time and from the same stream: as its documentation shows it, and tuned to a time-out of 0.15 s.
The source that feeds Icecast dies by close (it is killed) and by silence (SIGSTOP); Icecast itself lives on, as its
package sets it up (a silent source is dropped after 10 s). What a card at the pipe's end would have sounded is judged
as our own samples are.
"""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from shutil import which
from typing import Final

from simulators.bench.failover import KINDS, station
from simulators.bench.failover_station import SOURCE_PASSWORD
from simulators.bench.foremost import go_first
from simulators.bench.handover_figures import Handover, figures, judge
from simulators.bench.late_card import LateCard
from simulators.child import free_ports
from simulators.encoder import encode
from simulators.melody import melody

_RATE: Final = 44_100
_HEADER_BYTES: Final = 44
_MOUNT: Final = "live.mp3"
_BEFORE_S: Final = 2.0
_CALM_S: Final = 6.0
_WAIT_S: Final = 4.0
_AFTER_S: Final = 16.0
_LATE_S: Final = 1.0
_START_S: Final = 3.0
_END_S: Final = 5.0
_VARIANTS: Final = {"": "", "tuned_": ", timeout=0.15, poll_delay=0.5"}

_LIQUIDSOAP: Final = """
settings.init.allow_root.set(true)
settings.log.stdout.set(true)
settings.log.file.set(false)
live = input.http("http://127.0.0.1:{port}/{mount}"{options})
standby = single("{song}")
output.file(%wav(stereo=false), flush=true, "{out}", mksafe(fallback(track_sensitive=false, [live, standby])))
"""
_ICECAST: Final = """<icecast>
<limits><clients>20</clients><sources>4</sources><source-timeout>10</source-timeout>
<burst-on-connect>1</burst-on-connect><burst-size>65535</burst-size></limits>
<authentication><source-password>{password}</source-password><admin-user>admin</admin-user>
<admin-password>{password}</admin-password></authentication>
<hostname>localhost</hostname>
<listen-socket><port>{port}</port><bind-address>127.0.0.1</bind-address></listen-socket>
<paths><logdir>{folder}</logdir><webroot>/usr/share/icecast2/web</webroot>
<adminroot>/usr/share/icecast2/admin</adminroot></paths>
<logging><accesslog>access.log</accesslog><errorlog>error.log</errorlog><loglevel>2</loglevel></logging>
<security><chroot>0</chroot>{owner}</security>
</icecast>
"""
_OWNER: Final = "<changeowner><user>nobody</user><group>nogroup</group></changeowner>"


def missing() -> list[str]:
    """The programs that this machine lacks; each is in a package of its own name."""
    return [one for one in ("liquidsoap", "icecast2") if which(one) is None]


async def measure_liquidsoap(*, rounds: int, folder: Path) -> dict[str, float]:
    """Figures of both variants; names begin with `liquidsoap_` and `liquidsoap_tuned_`.

    Raises:
        RuntimeError: liquidsoap or Icecast is missing or does not play.
    """
    if missing():
        raise RuntimeError(f"not here: {', '.join(missing())}")
    song, (port,) = _standby(folder), free_ports(1)
    told: dict[str, float] = {}
    found: dict[str, list[tuple[str, Handover]]] = {name: [] for name in _VARIANTS}
    async with _icecast(port, folder / "icecast"), _liquidsoaps(port, song, folder) as cards:
        for kind in (kind for _ in range(rounds) for kind in KINDS):
            for name, judged in (await _round(port, kind, cards)).items():
                found[name].append((kind, judged))
    for name, rows in found.items():
        told |= figures(f"liquidsoap_{name}", (one for _, one in rows))
        for kind in KINDS:
            told |= figures(f"liquidsoap_{name}{kind}_", (one for was, one in rows if was == kind))
    return told


def _standby(folder: Path) -> Path:
    folder.mkdir(parents=True)
    return encode(melody(3, duration_ms=120_000), folder / "standby.wav")


async def _round(port: int, kind: str, cards: dict[str, LateCard]) -> dict[str, Handover]:
    async with station(str(port), _MOUNT) as feeder:
        await asyncio.sleep(_WAIT_S + _CALM_S)
        if feeder.returncode is not None:
            raise RuntimeError("the source does not reach Icecast")
        died_s = time.monotonic()
        feeder.send_signal(signal.SIGKILL if kind == "close" else signal.SIGSTOP)
        await asyncio.sleep(_AFTER_S + _LATE_S)
        begin_s, end_s = died_s - _BEFORE_S, died_s + _AFTER_S
        return {name: judge(card.heard(begin_s, end_s), _RATE) for name, card in cards.items()}


@asynccontextmanager
async def _running(*command: str, log: Path) -> AsyncIterator[asyncio.subprocess.Process]:
    with log.open("ab") as out:
        process = await asyncio.create_subprocess_exec(
            *command, stdin=asyncio.subprocess.DEVNULL, stdout=out, stderr=out
        )
    go_first(process.pid)
    try:
        await asyncio.sleep(_START_S)
        if process.returncode is not None:
            raise RuntimeError(f"{command[0]} does not run: {_end_of(log)}")
        yield process
    finally:
        with suppress(ProcessLookupError):
            process.terminate()
        try:
            async with asyncio.timeout(_END_S):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()


def _end_of(log: Path) -> str:
    return log.read_text(errors="replace")[-500:]


@asynccontextmanager
async def _icecast(port: int, folder: Path) -> AsyncIterator[None]:
    configuration = _icecast_file(port, folder)
    async with _running("icecast2", "-c", str(configuration), log=folder / "out"):
        yield


def _icecast_file(port: int, folder: Path) -> Path:
    folder.mkdir()
    folder.chmod(0o777)
    owner = _OWNER if os.geteuid() == 0 else ""
    configuration = folder / "icecast.xml"
    configuration.write_text(_ICECAST.format(port=port, folder=folder, password=SOURCE_PASSWORD, owner=owner))
    return configuration


@asynccontextmanager
async def _liquidsoaps(port: int, song: Path, folder: Path) -> AsyncIterator[dict[str, LateCard]]:
    """Both variants; the card that hears each, by its name."""
    pipes = {name: folder / f"{name}out.wav" for name in _VARIANTS}
    cards = {name: LateCard(pipe, rate=_RATE, skip_bytes=_HEADER_BYTES) for name, pipe in pipes.items()}
    scripts = {}
    for name, options in _VARIANTS.items():
        scripts[name] = folder / f"{name}fallback.liq"
        filled = _LIQUIDSOAP.format(port=port, mount=_MOUNT, options=options, song=song, out=pipes[name])
        scripts[name].write_text(filled)
    logs = {name: folder / f"{name}log" for name in _VARIANTS}
    first, second = _VARIANTS
    async with (
        _running("liquidsoap", str(scripts[first]), log=logs[first]),
        _running("liquidsoap", str(scripts[second]), log=logs[second]),
    ):
        await asyncio.sleep(_START_S)
        yield cards
