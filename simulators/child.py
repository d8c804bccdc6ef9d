"""Programs that run beside us: started with a log of their own, waited for until they answer, ended in good order.

A child ends with its parent, even if that is killed: a demo that was closed must not leave ports taken.
"""

from __future__ import annotations

import asyncio
import ctypes
import signal
import socket
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import aiohttp

_PR_SET_PDEATHSIG: Final = 1
_LOOK_S: Final = 0.1
_END_S_MAX: Final = 10.0
_LAST_LINES: Final = 8
_libc = ctypes.CDLL(None)


class ChildError(Exception):
    """A child ended, or did not answer in time; the message has the last lines of its log."""


class Child:
    """A module of ours as a process.

    Args:
        log: where its output goes; what was there is kept.
        before: words before the interpreter's, such as those that put it into a network namespace.
    """

    def __init__(self, name: str, arguments: Sequence[str], *, log: Path, before: Sequence[str] = ()) -> None:
        self.name = name
        self._arguments = [*before, sys.executable, "-m", *arguments]
        self.log = log
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        """Starts it. Ctrl-C in the terminal reaches only us, so the order of the end is ours."""
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *self._arguments,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=_end_with_parent,
            )

    async def healthy(self, url: str, *, within_s: float = 60.0) -> None:
        """Returns when it answers 200.

        Raises:
            ChildError: it ended before, or never answered.
        """
        try:
            async with asyncio.timeout(within_s), aiohttp.ClientSession() as session:
                while not await _answers(session, url):
                    if self.returncode is not None:
                        raise ChildError(f"{self.name} ended by itself:\n{self.last_lines()}")
                    await asyncio.sleep(_LOOK_S)
        except TimeoutError as error:
            words = f"{self.name} does not answer at {url} after {within_s:.0f} s:\n{self.last_lines()}"
            raise ChildError(words) from error

    @property
    def returncode(self) -> int | None:
        """How it ended; None while it runs."""
        return None if self._process is None else self._process.returncode

    @property
    def pid(self) -> int:
        """Of the process that was started."""
        assert self._process is not None, "it was started"
        return self._process.pid

    async def ended(self) -> None:
        """Returns when it has ended."""
        assert self._process is not None, "it was started"
        await self._process.wait()

    async def stop(self) -> None:
        """Asks it to end, and makes it end if it does not."""
        if self._process is None or self._process.returncode is not None:
            return
        self._process.terminate()
        try:
            await asyncio.wait_for(self._process.wait(), _END_S_MAX)
        except TimeoutError:
            self._process.kill()
            await self._process.wait()

    async def kill(self) -> None:
        """Ends it at once, as the end of its power would."""
        assert self._process is not None, "it was started"
        if self._process.returncode is None:
            self._process.kill()
        await self._process.wait()

    def last_lines(self) -> str:
        """The end of its log."""
        lines = self.log.read_text(errors="replace").splitlines()
        return "\n".join(f"    {line}" for line in lines[-_LAST_LINES:])


async def _answers(session: aiohttp.ClientSession, url: str) -> bool:
    try:
        async with session.get(url, timeout=aiohttp.ClientTimeout(total=2)) as answer:
            return answer.status == 200
    except (aiohttp.ClientError, TimeoutError, OSError):
        return False


def _end_with_parent() -> None:
    """Linux tells a child when its parent is gone; elsewhere this does nothing."""
    if sys.platform == "linux":
        _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def is_free(port: int) -> bool:
    """Whether a port of 127.0.0.1 can be listened on."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
            probe.listen()
        except OSError:
            return False
    return True


def free_ports(count: int) -> tuple[int, ...]:
    """Ports of 127.0.0.1 that nobody listens on."""
    probes = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = tuple(int(probe.getsockname()[1]) for probe in probes)
    for probe in probes:
        probe.close()
    return ports
