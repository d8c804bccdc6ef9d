"""Takes the bouncing out of a contact: a level counts after it has stood for a while, when closing and when opening.

Contacts bounce for 1 to 10 ms when they are good and longer when they are old and wet; the relay beside them makes a
spike of a millisecond. Time is told from outside, so a test needs none.
"""

from __future__ import annotations

from typing import Final

STAND_MS: Final = 30.0


class Debounce:
    """One contact.

    Attributes:
        down: whether it counts as closed.
    """

    def __init__(self, *, stand_ms: float = STAND_MS) -> None:
        self._stand_ms = stand_ms
        self._since_ms: float | None = None
        self.down = False

    @property
    def due_ms(self) -> float | None:
        """When to feed it again at the latest, if it is about to change."""
        return None if self._since_ms is None else self._since_ms + self._stand_ms

    def feed(self, down: bool, mono_ms: float, *, moved: bool = False) -> bool:
        """Whether `down` has just become what is said here.

        Args:
            down: the level now.
            moved: it has changed in between, even if it is back: it has not stood.
        """
        if down == self.down:
            self._since_ms = None
            return False
        if self._since_ms is None or moved:
            self._since_ms = mono_ms
        if mono_ms - self._since_ms < self._stand_ms:
            return False
        self.down, self._since_ms = down, None
        return True
