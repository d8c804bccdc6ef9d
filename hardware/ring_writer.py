"""Keeps the microphone's ring in a thread of its own: a memory card that thinks for seconds holds nobody's voice up.

Speaking comes first. Every trouble with the disk costs the recording of what is being said, never the speech, and the
next opening of the microphone tries again.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from queue import Queue
from typing import Final

from hardware.sound_ring import SoundRing

_WAITING_MAX: Final = 1500
"""Frames: half a minute, 3 MB."""

_log = logging.getLogger(__name__)
_Job = Callable[[], None]


class RingWriter:
    """Hands frames to the ring."""

    def __init__(self, ring: SoundRing) -> None:
        self._ring = ring
        self._jobs: Queue[_Job] = Queue()
        self._thread: threading.Thread | None = None
        self._failed = self._told = False

    def add(self, frame: bytes, wall_ms: int) -> None:
        """A frame of the microphone's sound, and the wall time of its first sample; returns at once."""
        if self._failed:
            return
        if self._jobs.qsize() >= _WAITING_MAX:
            self._fail("the disk is too slow")
        else:
            self._put(lambda: self._ring.add(frame, wall_ms))

    def end(self) -> None:
        """The microphone is closed."""
        self._put(self._end)

    def wait_written(self) -> None:
        """Returns when all that was handed over is on the disk, or has failed to get there."""
        self._jobs.join()

    def _put(self, job: _Job) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name="microphone ring", daemon=True)
            self._thread.start()
        self._jobs.put(job)

    def _end(self) -> None:
        try:
            self._ring.end()
        except OSError as error:
            self._fail(str(error))
        finally:
            self._failed = False

    def _work(self) -> None:
        while True:
            job = self._jobs.get()
            try:
                job()
            except OSError as error:
                self._fail(str(error))
            except Exception:
                _log.exception("the recording of the microphone is at fault")
            finally:
                self._jobs.task_done()

    def _fail(self, reason: str) -> None:
        tell = _log.debug if self._told else _log.warning
        tell("what is said now is not kept: %s", reason)
        self._failed = self._told = True
