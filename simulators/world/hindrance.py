"""What keeps a device from doing what it ought to, and is not the agent's doing: told, and asked by the judges."""

from __future__ import annotations

from collections.abc import Callable

from protocol.clock import WallMs

AFTER_MS = 10_000
"""A moment is given to whatever comes back: a card that is found, a process that starts, three proofs of life."""


class Hindrances:
    """Those of one device.

    Args:
        wall: true time.
        tell: told of each beginning and end, with the hindrance's name.
    """

    def __init__(self, wall: Callable[[], WallMs], tell: Callable[[str, str], None]) -> None:
        self._wall, self._tell = wall, tell
        self._counts: dict[str, int] = {}
        self._free_since = WallMs(0)

    def begin(self, why: str) -> None:
        """One more."""
        self._counts[why] = self._counts.get(why, 0) + 1
        if self._counts[why] == 1:
            self._tell("hindered", why)

    def end(self, why: str) -> None:
        """That is over; nothing if it never was."""
        left = self._counts.pop(why, 0) - 1
        if left > 0:
            self._counts[why] = left
        elif left == 0:
            self._free_since = self._wall()
            self._tell("freed", why)

    def put(self, why: str, on: bool) -> None:
        """Begins or ends it."""
        (self.begin if on else self.end)(why)

    @property
    def any(self) -> bool:
        """Whether there is one now."""
        return bool(self._counts)

    def lately(self, at: WallMs) -> bool:
        """Whether there is one, or was until a moment ago."""
        return bool(self._counts) or at - self._free_since < AFTER_MS
