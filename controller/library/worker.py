"""The worker process that decodes, levels and encodes, and the runner that keeps at most a few of them going.

A process for each file: a decoder that crashes, hangs or eats memory takes nobody with it, the file can be cancelled
at any time, and it yields the processor to alerts. It speaks JSON lines; when the controller dies, its next line
finds no reader and it ends.

    python -m controller.library.worker SOURCE TARGET OWNER
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import json
import logging
import os
import resource
import sys
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any, Final

from controller.library.domain import Processed
from controller.library.refusal import Reason, SoundRefusedError

_MEMORY_BYTES_MAX: Final = 1024 * 1024 * 1024
_FILE_BYTES_MAX: Final = 256 * 1024 * 1024
_NICENESS: Final = 10
_TELL_EVERY_S: Final = 0.2
_SILENCE_S_MAX: Final = 120.0
_LINE_BYTES_MAX: Final = 64 * 1024

logger = logging.getLogger(__name__)

Progress = Callable[[str, float], None]
"""Told the stage (`waiting`, `listening`, `levelling`, `checking`) and how many seconds of sound it has done."""


class Workers:
    """Runs files through worker processes, some at a time, the others wait their turn."""

    def __init__(self, *, at_once: int = 1, silence_s_max: float = _SILENCE_S_MAX) -> None:
        self._free = asyncio.Semaphore(at_once)
        self._silence_s_max = silence_s_max

    async def process(self, source: Path, target: Path, *, owner: str, progress: Progress) -> Processed:
        """Writes the levelled media to the target; cancelling the task ends the process.

        Raises:
            SoundRefusedError: it cannot be broadcast, or the worker was lost.
        """
        progress("waiting" if self._free.locked() else "listening", 0)
        async with self._free, _child(source, target, owner) as child:
            async for said in self._lines(child):
                if "stage" in said:
                    progress(said["stage"], said["seconds"])
                elif "refused" in said:
                    raise SoundRefusedError(Reason(said["refused"]), **said["values"])
                else:
                    return Processed(**said | {"waveform": tuple(said["waveform"])})
        raise SoundRefusedError(Reason.WORKER_LOST)

    async def _lines(self, child: asyncio.subprocess.Process) -> AsyncIterator[dict[str, Any]]:
        assert child.stdout is not None
        while True:
            try:
                line = await asyncio.wait_for(child.stdout.readline(), self._silence_s_max)
            except (TimeoutError, ValueError):
                logger.warning("a sound worker hangs and is ended")
                return
            if not line.endswith(b"\n"):
                return
            yield json.loads(line)


@contextlib.asynccontextmanager
async def _child(source: Path, target: Path, owner: str) -> AsyncIterator[asyncio.subprocess.Process]:
    child = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", __name__, str(source), str(target), owner),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        limit=_LINE_BYTES_MAX,
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])},
    )
    try:
        yield child
    finally:
        with contextlib.suppress(ProcessLookupError):
            child.kill()
        await asyncio.shield(child.wait())


# What follows runs in the worker process.


def _say(**values: Any) -> None:
    sys.stdout.write(json.dumps(values) + "\n")
    sys.stdout.flush()


class _Teller:
    """Passes progress on, a few times a second."""

    def __init__(self) -> None:
        self._last = ("", 0.0)

    def __call__(self, stage: str, seconds: float) -> None:
        now = time.monotonic()
        if stage != self._last[0] or now - self._last[1] >= _TELL_EVERY_S:
            self._last = (stage, now)
            _say(stage=stage, seconds=round(seconds, 1))


def main(source: str, target: str, owner: str) -> None:
    """Processes one file and says how it went."""
    os.nice(_NICENESS)
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_BYTES_MAX, _MEMORY_BYTES_MAX))
    resource.setrlimit(resource.RLIMIT_FSIZE, (_FILE_BYTES_MAX, _FILE_BYTES_MAX))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))

    import av.logging

    from controller.library.processing import process

    av.logging.set_level(av.logging.PANIC)
    try:
        made = process(Path(source), Path(target), owner=owner, tell=_Teller())
    except SoundRefusedError as error:
        _say(refused=error.reason.value, values=error.values)
    else:
        _say(**dataclasses.asdict(made))


if __name__ == "__main__":
    with contextlib.suppress(BrokenPipeError):
        main(*sys.argv[1:])
    # The sound is written and named; the decoder's clean-up is not needed.
    os._exit(0)
