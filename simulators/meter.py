"""A meter at the horn, for boards that have one and boards that have not."""

from __future__ import annotations

from edge.audio.level import Loudness
from simulators.horn import SimHorn


class SimMeter:
    """Implements `edge.ports.Meter`.

    Attributes:
        fitted: whether this board can measure at all.
    """

    def __init__(self, horn: SimHorn, *, fitted: bool = True) -> None:
        self._horn = horn
        self.fitted = fitted

    def level_cdb(self) -> int | None:
        """See `edge.ports.Meter`."""
        if not self.fitted:
            return None
        loudness = Loudness()
        loudness.add(self._horn.last_second())
        return loudness.level_cdb
