"""The neighbour of `skew`: a snapserver that plays a file, and as many snapclients as there are loudspeakers.

Each client's file player writes into a pipe, unbuffered. They share this machine's clock, so what snapcast does
against clocks that differ is not asked of it here; nor have their outputs a crystal of their own.
"""

from __future__ import annotations

import asyncio
import subprocess
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from shutil import which
from typing import BinaryIO, Final

from edge.ports import SAMPLE_RATE
from simulators.bench import told
from simulators.bench.foremost import go_first
from simulators.bench.pipe_ear import PipeEar
from simulators.bench.skew import figures_of
from simulators.bench.skew_figures import rustle
from simulators.child import free_ports

_PROGRAMS: Final = ("snapserver", "snapclient", "stdbuf")
_SETTLE_S: Final = 12.0
_END_S: Final = 5.0
_SERVER: Final = """
[server]
datadir={folder}
[http]
enabled=false
[tcp]
enabled=false
[stream]
bind_to_address=127.0.0.1
port={port}
codec=pcm
source=file://{samples}?name=bench&sampleformat=48000:16:2
"""


def missing() -> list[str]:
    """The programs that this machine lacks; each is in a package of its own name."""
    return [one for one in _PROGRAMS if which(one) is None]


async def snapcast(*, players: int, seconds: int, folder: Path) -> dict[str, told.Value]:
    """Figures with names that begin with `snapcast_`. Raises RuntimeError when it does not play."""
    (port,) = free_ports(1)
    samples, configuration = folder / "sound.raw", folder / "snapserver.conf"
    await asyncio.to_thread(_write_stereo, samples, seconds + round(_SETTLE_S) + 30)
    configuration.write_text(_SERVER.format(folder=folder, port=port, samples=samples))
    async with AsyncExitStack() as stack:
        await _run(stack, ["snapserver", "-c", str(configuration)], log=folder / "snapserver.log")
        await asyncio.sleep(1.0)
        ears = []
        for number in range(players):
            pipe = folder / f"snap{number}"
            ears.append(PipeEar(pipe, rate=SAMPLE_RATE, channels=2))
            # Without stdbuf it hands over 4 KB at a time, 21 ms of sound, and each client at another moment.
            words = ["stdbuf", "-o0", "snapclient", "-h", "127.0.0.1", "-p", str(port), "--hostID", f"bench{number}"]
            words += ["--instance", str(number + 1), "--logsink", "stderr", "--player", "file:filename=stdout"]
            with await asyncio.to_thread(pipe.open, "wb") as out:
                await _run(stack, words, log=folder / f"snap{number}.log", out=out)
        await asyncio.sleep(_SETTLE_S)
        begin_s = time.monotonic()
        await asyncio.sleep(seconds)
        if any(ear.heard_samples < SAMPLE_RATE * seconds // 2 for ear in ears):
            raise RuntimeError("a snapclient does not play")
    figures = figures_of("snapcast_", [ear.heard for ear in ears], begin_s + 1, begin_s + seconds - 1)
    return figures | {"version_snapclient": _version()}


def _write_stereo(path: Path, seconds: int) -> None:
    """The same on both sides: 48 kHz, 16 bits, two channels."""
    mono = rustle(seconds)
    path.write_bytes(b"".join(mono[at : at + 2] * 2 for at in range(0, len(mono), 2)))


async def _run(stack: AsyncExitStack, words: Sequence[str], *, log: Path, out: BinaryIO | None = None) -> None:
    with log.open("ab") as said:
        process = await asyncio.create_subprocess_exec(
            *words, stdin=asyncio.subprocess.DEVNULL, stdout=out or said, stderr=said
        )
    go_first(process.pid)
    stack.push_async_callback(_end, process)


async def _end(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        process.terminate()
    try:
        async with asyncio.timeout(_END_S):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()


def _version() -> str:
    told_by = subprocess.run(("snapclient", "--version"), capture_output=True, text=True, check=False)  # noqa: S607
    return told_by.stdout.partition("\n")[0].split(" v")[-1]
