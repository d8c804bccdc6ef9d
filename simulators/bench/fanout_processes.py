"""The processes of the figure `alert-fanout`: mosquitto, and workers full of receivers."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any, Final

WORKERS: Final = 2
READY_S_MAX: Final = 300.0
ARRIVED_S_MAX: Final = 60.0
_BROKER: Final = """listener {port} 127.0.0.1
allow_anonymous true
persistence false
set_tcp_nodelay true
max_queued_messages 0
sys_interval 0
log_type error
"""


def mosquitto() -> str:
    """The broker's program. Raises RuntimeError when there is none."""
    found = shutil.which("mosquitto", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
    if found is None:
        raise RuntimeError("mosquitto is not installed: apt-get install mosquitto")
    return found


async def start_broker(stack: AsyncExitStack, disk: Path, port: int) -> None:
    """Runs it until the stack is closed; returns when it answers. Raises RuntimeError."""
    program = mosquitto()
    settings = disk / "mosquitto.conf"
    settings.write_text(_BROKER.format(port=port))
    broker = await asyncio.create_subprocess_exec(program, "-c", str(settings), stderr=asyncio.subprocess.DEVNULL)
    stack.push_async_callback(_terminate, broker)
    for _ in range(100):
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            await asyncio.sleep(0.05)
        else:
            writer.close()
            return
    raise RuntimeError("mosquitto does not start")


async def _terminate(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        process.terminate()
        await process.wait()


class Receivers:
    """Worker processes; each tells when its last receiver has an emergency."""

    def __init__(self, processes: Sequence[asyncio.subprocess.Process]) -> None:
        self._processes = processes

    async def ready(self) -> None:
        """Returns when all receivers of all workers are."""
        async with asyncio.timeout(READY_S_MAX):
            await asyncio.gather(*(_line(process) for process in self._processes))

    async def last_ns(self) -> int:
        """The instant at which the last receiver had the next emergency."""
        async with asyncio.timeout(ARRIVED_S_MAX):
            lines = await asyncio.gather(*(_line(process) for process in self._processes))
        return max(int(line["last_ns"]) for line in lines)


async def _line(process: asyncio.subprocess.Process) -> dict[str, Any]:
    assert process.stdout is not None, "it was asked for a pipe"
    line = await process.stdout.readline()
    if not line:
        raise RuntimeError("a process of receivers ended by itself")
    values: dict[str, Any] = json.loads(line)
    return values


@asynccontextmanager
async def receivers(kind: str, count: int, *arguments: str) -> AsyncIterator[Receivers]:
    """Runs the workers until the block ends."""
    processes = []
    workers = min(WORKERS, count)
    share, rest = divmod(count, workers)
    for number in range(workers):
        own = ["--count", str(share + (number < rest)), "--name", f"{kind[0]}{number}"]
        command = [sys.executable, "-m", "simulators.bench.fanout_worker", kind, *own, *arguments]
        pipe = asyncio.subprocess.PIPE
        processes.append(await asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=pipe))
    try:
        found = Receivers(processes)
        await found.ready()
        yield found
    finally:
        await asyncio.gather(*(_end(process) for process in processes))


async def _end(process: asyncio.subprocess.Process) -> None:
    if process.stdin is not None:
        process.stdin.close()
    try:
        await asyncio.wait_for(process.wait(), 20)
    except TimeoutError:
        process.kill()
        await process.wait()
