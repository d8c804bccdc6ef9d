"""Starts libVLC's child process, reads its samples, and tells a stream's silence from a libVLC that hangs."""

from __future__ import annotations

import asyncio
import contextlib
import importlib.util
import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from hardware.errors import MediaError
from hardware.vlc_child import BEAT, BEAT_S, BROKE_OFF, NOT_SOUND

_CHILD: Final = Path(__file__).with_name("vlc_child.py")
_CHUNK_BYTES: Final = 32_768
_REASON_BYTES_MAX: Final = 2000
_REAP_S: Final = 2.0
_ENVIRONMENT: Final = {
    "PATH": "/usr/bin:/bin",
    "LANG": "C.UTF-8",
    "HOME": "/nonexistent",
    "MALLOC_ARENA_MAX": "1",  # a dozen threads would take an arena each
}


class VlcLostError(Exception):
    """The child hangs, or it ended without saying why."""


class VlcProcess:
    """A running child; make one with `start`."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdout is not None and process.stderr is not None
        self._process = process
        self._sound, self._told = process.stdout, process.stderr
        self._reason = b""
        self._beaten_at = self._now()
        self._listening = asyncio.create_task(self._listen(), name="libVLC's child")

    @classmethod
    async def start(cls, job: Mapping[str, object]) -> VlcProcess:
        """Starts a child on a job, see `hardware.vlc_child`.

        Raises:
            MediaError: python-vlc is not installed, or no process can be started.
        """
        whole = {**job, "vlc": _python_vlc(), "parent": os.getpid()}
        try:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-I", "-S", str(_CHILD)),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                env=_ENVIRONMENT,
                limit=_CHUNK_BYTES,
            )
        except OSError as error:
            raise MediaError("libVLC's process could not be started") from error
        started = cls(process)
        assert process.stdin is not None
        # By the standard input: others may read a process's arguments, and an address can hold a password.
        process.stdin.write(json.dumps(whole).encode() + b"\n")
        process.stdin.close()
        return started

    @property
    def pid(self) -> int:
        """Of the child."""
        return self._process.pid

    async def read(self, limit_s: float) -> bytes:
        """The next samples; nothing at the end.

        Raises:
            MediaError: the child said that this is no sound (any more), or it lives and has had nothing to give.
            VlcLostError: it hangs, or ended without a word.
        """
        try:
            async with asyncio.timeout(limit_s):  # wait_for of Python 3.11 may swallow a cancellation
                sound = await self._sound.read(_CHUNK_BYTES)
        except TimeoutError as error:
            if self._now() - self._beaten_at < 4 * BEAT_S:
                raise MediaError(f"the stream has been silent for {limit_s:.0f} s") from error
            raise VlcLostError(f"no sound for {limit_s:.1f} s") from error
        if not sound:
            await self._judge_end()
        return sound

    async def end(self) -> None:
        """Ends the child, if it still runs, and leaves nothing of it; may be called twice."""
        if self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()
        # What is left in the pipe is read away first: asyncio tells of the end when its pipes have ended.
        while await self._sound.read(_CHUNK_BYTES):
            pass
        await self._process.wait()
        await asyncio.wait([self._listening])

    async def _judge_end(self) -> None:
        try:
            async with asyncio.timeout(_REAP_S):
                code = await self._process.wait()
        except TimeoutError as error:
            raise VlcLostError("it closed its output and lives on") from error
        await asyncio.wait([self._listening])
        reason = self._reason.decode(errors="replace").strip()
        if code in (NOT_SOUND, BROKE_OFF):
            raise MediaError(reason or "not sound")
        if code:
            raise VlcLostError(f"it ended with {code} {reason}".rstrip())

    async def _listen(self) -> None:
        """Its standard error: beats, and at the end a reason."""
        while told := await self._told.read(_REASON_BYTES_MAX):
            self._beaten_at = self._now()
            self._reason = (self._reason + told.replace(BEAT, b""))[-_REASON_BYTES_MAX:]

    @staticmethod
    def _now() -> float:
        return asyncio.get_running_loop().time()


def _python_vlc() -> str:
    """The directory that python-vlc is in; the module itself is loaded by the child alone."""
    found = importlib.util.find_spec("vlc")
    if found is None or found.origin is None:
        raise MediaError("python-vlc is not installed")
    return str(Path(found.origin).parent)
