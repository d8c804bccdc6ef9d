"""The neighbours of `footprint`: liquidsoap, mopidy and snapcast playing the same sound, paced by the clock, unheard.

Each is the package of the operating system, set up to do no more than to play one file: liquidsoap into its dummy
output, mopidy into GStreamer's fakesink, snapclient what a snapserver sends it as Opus (decoded from the file before,
since it takes samples). None of them checks a signature, keeps a schedule or decides anything.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import urllib.request
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from shutil import which
from typing import Any, Final

import av

from simulators.bench.process_tree import Figures, ProcessTree
from simulators.child import free_ports

PEERS: Final = {"liquidsoap": ("liquidsoap",), "mopidy": ("mopidy",), "snapclient": ("snapclient", "snapserver")}
"""Each peer, and the programs that it needs; each is in a package of its own name."""
_SETTLE_S: Final = 8.0
_END_S: Final = 10.0

_LIQUIDSOAP: Final = """
settings.init.allow_root.set(true)
settings.log.stdout.set(true)
settings.log.file.set(false)
output.dummy(mksafe(single("{sound}")))
"""
_MOPIDY: Final = """
[core]
cache_dir={folder}/cache
config_dir={folder}/config
data_dir={folder}/data
restore_state=false
[audio]
output=audioconvert ! audio/x-raw,rate=48000 ! fakesink sync=true
mixer=none
[http]
hostname=127.0.0.1
port={port}
zeroconf=
[file]
media_dirs={folder}
[m3u]
enabled=false
[stream]
enabled=false
[softwaremixer]
enabled=false
"""
_SNAPSERVER: Final = """
[server]
datadir={folder}
[http]
enabled=false
[tcp]
enabled=false
[stream]
bind_to_address=127.0.0.1
port={port}
codec=opus
source=file://{samples}?name=bench&sampleformat=48000:16:2
"""


def missing(peer: str) -> list[str]:
    """The programs that a peer needs and this machine lacks."""
    return [one for one in PEERS[peer] if which(one) is None]


async def measure_peer(peer: str, sound: Path, folder: Path, window_s: float) -> Figures:
    """`rss_mb`, `pss_mb` and `cpu_percent` of a peer while it plays; names begin with the peer's.

    Raises:
        RuntimeError: it does not play.
    """
    opening = {"liquidsoap": _liquidsoap, "mopidy": _mopidy, "snapclient": _snapcast}[peer]
    await asyncio.to_thread(folder.mkdir)
    figures: Figures = {}
    async with opening(sound, folder) as processes:
        await asyncio.sleep(_SETTLE_S)
        watched = [ProcessTree(one.pid).watch(window_s) for one in processes.values()]
        for name, found in zip(processes, await asyncio.gather(*watched), strict=True):
            figures |= {f"{name}_{key}": found[key] for key in ("rss_mb", "pss_mb", "cpu_percent")}
        if peer == "mopidy":
            await _is_playing(folder)
    return figures


@contextmanager
def _running(*command: str, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    streams: dict[str, Any] = {"stdout": log.open("ab"), "stderr": subprocess.STDOUT, "stdin": subprocess.DEVNULL}
    with streams["stdout"], subprocess.Popen(command, **streams) as process:  # noqa: S603
        try:
            yield process
        finally:
            process.terminate()
            try:
                process.wait(_END_S)
            except subprocess.TimeoutExpired:
                process.kill()


_Processes = AsyncIterator[dict[str, "subprocess.Popen[bytes]"]]


@asynccontextmanager
async def _liquidsoap(sound: Path, folder: Path) -> _Processes:
    script = folder / "play.liq"
    script.write_text(_LIQUIDSOAP.format(sound=sound))
    with _running("liquidsoap", str(script), log=folder / "log") as process:
        yield {"liquidsoap": process}


@asynccontextmanager
async def _mopidy(sound: Path, folder: Path) -> _Processes:
    (port,) = free_ports(1)
    (folder / "port").write_text(str(port))
    (folder / "mopidy.conf").write_text(_MOPIDY.format(folder=folder, port=port))
    (folder / sound.name).symlink_to(sound)
    with _running("mopidy", "--config", str(folder / "mopidy.conf"), log=folder / "log") as process:
        for _ in range(60):
            await asyncio.sleep(0.5)
            try:
                await _ask(folder, "core.tracklist.add", uris=[f"file://{folder / sound.name}"])
                break
            except OSError:
                continue
        await _ask(folder, "core.playback.play")
        yield {"mopidy": process}


async def _ask(folder: Path, method: str, **parameters: Any) -> Any:
    """One call of its JSON-RPC. Raises OSError while it does not answer."""
    url = f"http://127.0.0.1:{(folder / 'port').read_text()}/mopidy/rpc"
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": parameters}).encode()
    request = urllib.request.Request(url, body, {"Content-Type": "application/json"})

    def post() -> Any:
        with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310
            return json.loads(answer.read(1_000_000)).get("result")

    return await asyncio.to_thread(post)


async def _is_playing(folder: Path) -> None:
    """Raises RuntimeError when its position does not move."""
    before = await _ask(folder, "core.playback.get_time_position")
    await asyncio.sleep(1.0)
    if await _ask(folder, "core.playback.get_time_position") <= before:
        raise RuntimeError("mopidy does not play")


@asynccontextmanager
async def _snapcast(sound: Path, folder: Path) -> _Processes:
    (port,) = free_ports(1)
    samples = folder / "sound.raw"
    await asyncio.to_thread(_decode, sound, samples)
    configuration = folder / "snapserver.conf"
    configuration.write_text(_SNAPSERVER.format(folder=folder, port=port, samples=samples))
    listen = ("snapclient", "-h", "127.0.0.1", "-p", str(port), "--hostID", "bench", "--logsink", "stderr")
    heard = folder / "heard.raw"
    with _running("snapserver", "-c", str(configuration), log=folder / "log") as server:
        await asyncio.sleep(1.0)
        with _running(*listen, "--player", f"file:filename={heard}", log=folder / "log") as client:
            yield {"snapserver": server, "snapclient": client}
            if not heard.exists() or heard.stat().st_size < 48_000:
                raise RuntimeError("snapclient does not play")


def _decode(sound: Path, samples: Path) -> None:
    """The file as the samples that a snapserver takes: 48 kHz, 16 bits, two channels."""
    resampler = av.AudioResampler(format="s16", layout="stereo", rate=48_000)
    with av.open(str(sound)) as container, samples.open("wb") as out:
        for frame in container.decode(audio=0):
            for made in resampler.resample(frame):
                out.write(bytes(made.planes[0])[: made.samples * 4])
