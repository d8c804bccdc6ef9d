"""Whether the agent lives: which of its loops has been busy with one thing for too long.

A process that answers is not yet a loudspeaker that works. Each loop says when it begins something and when it is
done; a look from outside finds the one that never came back. What is fed from here (the service manager's watchdog,
the guardian's heartbeat) stops when the core, the sound path or the disk hangs, and also when the event loop does,
because then nobody looks any more.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from typing import Final


class Organ(StrEnum):
    """A loop that must not hang."""

    CORE = "core"
    SOUND = "sound"
    DISK = "disk"


BUSY_S_MAX: Final = {Organ.CORE: 10.0, Organ.SOUND: 2.0, Organ.DISK: 20.0}
"""A frame takes 20 ms; a decision waits for the disk; a worn SD card has been seen to take 10 s for an fsync."""


class Vital:
    """What is being done now, and since when.

    Args:
        mono_s: monotonic seconds.
    """

    def __init__(self, mono_s: Callable[[], float] = time.monotonic) -> None:
        self._mono_s = mono_s
        self._since: dict[Organ, float] = {}

    @contextmanager
    def busy(self, organ: Organ) -> Iterator[None]:
        """The organ does one thing inside the block."""
        self._since[organ] = self._mono_s()
        try:
            yield
        finally:
            self._since.pop(organ, None)

    def stuck(self) -> tuple[Organ, ...]:
        """Organs that have been at one thing for too long; empty while all is well."""
        now = self._mono_s()
        return tuple(one for one, since in self._since.items() if now - since > BUSY_S_MAX[one])
