"""The neighbours of `start-error`: a liquidsoap switch with a time predicate, and cron that tells mpd to play.

Each writes into a pipe and is heard there at once, as if its sound card had no buffer. liquidsoap's source begins
anew each minute, since it is skipped when the switch leaves it. cron runs in the foreground with tables of its own,
in a mount namespace of its own, and ends with the measurement; mpd has the file in its queue, stopped.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
from collections.abc import Sequence
from contextlib import AsyncExitStack, suppress
from pathlib import Path
from shutil import which
from typing import Final

from edge.ports import SAMPLE_RATE
from simulators.bench.foremost import go_first
from simulators.bench.pipe_ear import PipeEar
from simulators.child import free_ports

PEERS: Final = {"liquidsoap": ("liquidsoap",), "cron_mpc": ("cron", "mpd", "mpc", "unshare")}
"""Each peer, and the programs that it needs; `unshare` is in util-linux, the others in packages of their names."""
_PATH: Final = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"
_START_S: Final = 3.0
_END_S: Final = 5.0
_HEADER_BYTES: Final = 44

_LIQUIDSOAP: Final = """
settings.init.allow_root.set(true)
settings.log.stdout.set(true)
settings.log.file.set(false)
song = single("{song}")
def enter(_, b) = b end
def leave(_, b) = source.skip(song) b end
radio = switch(track_sensitive=false, transitions=[enter, leave], [({{0s-7s}}, song), ({{true}}, blank())])
output.file(%wav(stereo=false, samplerate=48000), flush=true, "{pipe}", radio)
"""
_MPD: Final = """
music_directory "{folder}"
playlist_directory "{folder}"
db_file "{folder}/mpd.db"
log_file "{folder}/mpd.log"
bind_to_address "127.0.0.1"
port "{port}"
audio_output {{
  type "fifo"
  name "ear"
  path "{pipe}"
  format "48000:16:1"
}}
"""
_CRON: Final = """set -e
mount --bind {folder}/none /etc/cron.d
mount --bind {folder}/none /var/spool/cron/crontabs
mount --bind {folder}/crontab /etc/crontab
mount -t tmpfs tmpfs /run
exec cron -f
"""


def missing(peer: str) -> list[str]:
    """What a peer needs and this machine lacks."""
    lacking = [one for one in PEERS[peer] if which(one, path=_PATH) is None]
    return lacking + ["root"] * (peer == "cron_mpc" and os.geteuid() != 0)


async def open_peer(stack: AsyncExitStack, peer: str, song: Path, folder: Path) -> PipeEar:
    """Sets a peer up to play the song at each full minute, until the stack is closed.

    Raises:
        RuntimeError: it does not run.
    """
    await asyncio.to_thread(folder.mkdir)
    opening = {"liquidsoap": _liquidsoap, "cron_mpc": _cron_mpc}[peer]
    return await opening(stack, song, folder)


async def _liquidsoap(stack: AsyncExitStack, song: Path, folder: Path) -> PipeEar:
    ear = PipeEar(folder / "pipe", rate=SAMPLE_RATE, skip_bytes=_HEADER_BYTES)
    script = folder / "minute.liq"
    script.write_text(_LIQUIDSOAP.format(song=song, pipe=folder / "pipe"))
    await _run(stack, ["liquidsoap", str(script)], log=folder / "log")
    return ear


async def _cron_mpc(stack: AsyncExitStack, song: Path, folder: Path) -> PipeEar:
    (port,) = free_ports(1)
    (folder / song.name).write_bytes(await asyncio.to_thread(song.read_bytes))
    (folder / "mpd.conf").write_text(_MPD.format(folder=folder, port=port, pipe=folder / "pipe"))
    ear = PipeEar(folder / "pipe", rate=SAMPLE_RATE)
    await _run(stack, ["mpd", "--no-daemon", str(folder / "mpd.conf")], log=folder / "log")
    for words in (["--wait", "update"], ["add", song.name], ["single", "on"]):
        await _mpc(port, *words)
    (folder / "none").mkdir()
    # cron refuses a table that others may write.
    table = folder / "crontab"
    table.write_text(f"PATH=/usr/bin:/bin\n* * * * * root mpc -q -p {port} stop; mpc -q -p {port} play 1\n")
    table.chmod(0o644)
    script = _CRON.format(folder=folder)
    await _run(stack, ["unshare", "--mount", "sh", "-c", script], log=folder / "cron.log")
    return ear


async def _mpc(port: int, *words: str) -> None:
    process = await asyncio.create_subprocess_exec(
        "mpc", "-q", "-p", str(port), *words, stdout=asyncio.subprocess.DEVNULL
    )
    if await process.wait():
        raise RuntimeError(f"mpc {' '.join(words)} failed")


async def _run(stack: AsyncExitStack, words: Sequence[str], *, log: Path) -> None:
    with log.open("ab") as out:
        process = await asyncio.create_subprocess_exec(
            *words, stdin=asyncio.subprocess.DEVNULL, stdout=out, stderr=out, env={**os.environ, "PATH": _PATH}
        )
    go_first(process.pid)
    stack.push_async_callback(_end, process)
    await asyncio.sleep(_START_S)
    if process.returncode is not None:
        said = await asyncio.to_thread(log.read_text, errors="replace")
        raise RuntimeError(f"{words[0]} does not run: {said[-500:]}")


async def _end(process: asyncio.subprocess.Process) -> None:
    with suppress(ProcessLookupError):
        process.terminate()
    try:
        async with asyncio.timeout(_END_S):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()


def versions(peers: Sequence[str]) -> dict[str, str]:
    """Of the programs that were measured."""
    asked = {"liquidsoap": ("liquidsoap",), "cron_mpc": ("mpd",)}
    return {f"version_{one}": _version(one) for peer in peers for one in asked[peer]}


def _version(program: str) -> str:
    told = subprocess.run((program, "--version"), capture_output=True, text=True, check=False)  # noqa: S603
    words = told.stdout.partition("\n")[0].split()
    return next((word.strip("()") for word in words if any(sign.isdigit() for sign in word)), "?")
