"""Two relays make three states, and never two sources at once: break before make.

`sound` (K1) lets anything through at all, `fm` (K2) chooses the tuner instead of the computer. Without power both
have fallen: silence. K2 only moves while K1 has fallen, and each gets 20 ms to come to rest.
"""

from hardware.guardian.message import FM, SILENCE

SETTLE_MS = 20


class Relay:
    """Says where the two relays shall stand.

    Attributes:
        sound: whether K1 is pulled.
        fm: whether K2 is pulled.
    """

    def __init__(self) -> None:
        self.sound = False
        self.fm = False
        self._source = SILENCE
        self._moved_ms = -SETTLE_MS

    def turn(self, now_ms: int, source: int) -> None:
        """Goes one step towards a source."""
        if self.sound and source != self._source:
            self.sound = False
            self._moved_ms = now_ms
        if self.sound or source == SILENCE or now_ms - self._moved_ms < SETTLE_MS:
            return
        if self.fm != (source == FM):
            self.fm = source == FM
            self._moved_ms = now_ms
        else:
            self.sound = True
            self._source = source

    @property
    def through(self) -> int:
        """What is let through now."""
        return self._source if self.sound else SILENCE
