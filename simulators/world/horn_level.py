"""The levels of a horn without samples: at the bus, and at the amplifier where the board measures there.

Stands for `edge/audio/teller.py` and `level.py`. The real path tells a level each second; here one comes every
`level_ms` (4 s in a world, as the core needs one within 5 s), a second after anything about it has changed, and each
second while something is measured that nobody ordered.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

from edge.core.events import LevelMeasured
from edge.core.output import Output
from protocol.clock import MonoMs, Now
from protocol.report import LEVEL_SILENCE_CDB
from simulators.world.sound_source import NEVER, Defects
from simulators.world.speaker import Block, Speaker

NOMINAL_CDB: Final = -1800
CRACKLE_CDB: Final = -2500
_SECOND_MS: Final = 1000
_POLL_MS: Final = 5000
_CALM_MS: Final = 15_000
_LOUD_TOLD_EACH_SECOND: Final = 10


@dataclass(frozen=True, slots=True)
class Measured:
    """What there is to measure.

    Attributes:
        outputs: what sounds on the bus.
        amplified: the amplifier's line is on.
    """

    outputs: tuple[Output, ...]
    amplified: bool
    muted: bool


class HornLevel:
    """Works out when a level is due, and which.

    Attributes:
        due: when the next one is.
    """

    def __init__(self, speaker: Speaker, defects: Defects, level_ms: int) -> None:
        self._speaker, self._defects, self._level_ms = speaker, defects, level_ms
        self._class = (False, False)
        self._loud_told = 0
        self.due = NEVER

    def is_measured(self, output: Output) -> bool:
        """Whether the meter at the amplifier sees it; the line to the loudspeaker is behind the meter."""
        blocks = self._speaker.blocks - {Block.LINE}
        return not blocks or (blocks == {Block.TUNER} and self._speaker.is_through(output))

    def mean_cdb(self, share: float) -> int | None:
        """Of a sound that was measured for a part of its time."""
        if not self._defects.metered:
            return None
        return LEVEL_SILENCE_CDB if share <= 0 else NOMINAL_CDB + round(1000 * math.log10(min(1.0, share)))

    def stop(self) -> None:
        """Nothing is measured: the card is away."""
        self.due = NEVER

    def measure(self, now: Now, measured: Measured) -> LevelMeasured | None:
        """The level, if one is due; else plans the next one."""
        level, output_level = self._levels(measured)
        loud = output_level is not None and output_level > LEVEL_SILENCE_CDB
        if not (measured.amplified or loud):
            self.due, self._loud_told, self._class = NEVER, 0, (False, False)
            return None
        former, self._class = self._class, (bool(measured.outputs), loud)
        if self.due == NEVER or self._class != former:
            found_late = not measured.amplified and self.due == NEVER
            self.due = min(self.due, MonoMs(now.mono + (_POLL_MS if found_late else _SECOND_MS)))
        if self.due > now.mono:
            return None
        self.due = MonoMs(now.mono + self._again_ms(bool(measured.outputs), loud))
        return LevelMeasured(now.wall, level, output_level)

    def _again_ms(self, sounds: bool, loud: bool) -> int:
        if sounds:
            self._loud_told = 0
            return self._level_ms
        self._loud_told += loud
        return _SECOND_MS if 0 < self._loud_told <= _LOUD_TOLD_EACH_SECOND else max(self._level_ms, _CALM_MS)

    def _levels(self, measured: Measured) -> tuple[int, int | None]:
        decodes = Block.DECODER not in self._speaker.blocks
        level = NOMINAL_CDB if measured.outputs and decodes else LEVEL_SILENCE_CDB
        if not self._defects.metered:
            return level, None
        if any(self.is_measured(output) for output in measured.outputs):
            return level, NOMINAL_CDB
        silenced = measured.muted and self._defects.crackle == "obeys"
        return level, CRACKLE_CDB if self._defects.crackle and not silenced else LEVEL_SILENCE_CDB
