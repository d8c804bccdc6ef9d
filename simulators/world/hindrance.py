"""What keeps a device from doing what it ought to, and is not the agent's doing: told, and asked by the judges."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Final

from protocol.clock import WallMs

AFTER_MS: Final = 10_000
"""A moment is given to whatever comes back: a card that is found, a process that starts, three proofs of life."""
_SPANS_KEPT: Final = 200


class Hindrances:
    """Those of one device.

    Args:
        wall: true time.
        tell: told of each beginning and end, with the hindrance's name.
    """

    def __init__(self, wall: Callable[[], WallMs], tell: Callable[[str, str], None]) -> None:
        self._wall, self._tell = wall, tell
        self._counts: dict[str, int] = {}
        self._since = WallMs(0)
        self._ended: dict[str, WallMs] = {}
        self._spans: deque[tuple[WallMs, WallMs]] = deque(maxlen=_SPANS_KEPT)

    def begin(self, why: str) -> None:
        """One more."""
        self._since = self._since if self._counts else self._wall()
        self._counts[why] = self._counts.get(why, 0) + 1
        if self._counts[why] == 1:
            self._tell("hindered", why)

    def end(self, why: str) -> None:
        """That is over; nothing if it never was."""
        left = self._counts.pop(why, 0) - 1
        self._ended[why] = self._wall()
        if left > 0:
            self._counts[why] = left
        elif left == 0:
            if not self._counts:
                self._spans.append((self._since, self._wall()))
            self._tell("freed", why)

    def put(self, why: str, on: bool) -> None:
        """Begins or ends it."""
        (self.begin if on else self.end)(why)

    def has(self, why: str) -> bool:
        """Whether there is this one now."""
        return why in self._counts

    def had(self, why: str, at: WallMs, *, within_ms: int) -> bool:
        """Whether there is this one, or it ended so lately, or after that instant."""
        return why in self._counts or at - self._ended.get(why, -within_ms) < within_ms

    def lately(self, at: WallMs) -> bool:
        """Whether there is one, or was until a moment ago."""
        return self.during(at, at)

    def during(self, begin: WallMs, end: WallMs) -> bool:
        """Whether there was one between two true instants, or until a moment before."""
        if self._counts and self._since <= end:
            return True
        return any(since <= end and until > begin - AFTER_MS for since, until in self._spans)
