"""Measures at the speaker line, through an ADS1115: the level as the proof of sound, and the line itself by a pilot.

The circuit, for each of voltage (input 0) and current (input 1): an isolating sensor (a small 100 V : 1 V transformer
across the line; a current transformer of 1:200 in it), a precision rectifier of two op-amps and a hold of 100 ms
(10 kΩ, 10 µF). Ten looks a second at it suffice, where 860 raw samples a second would alias. Tones read right; speech
reads 2 to 5 dB low, as on every meter that rectifies (computed with synthetic Vietnamese): the proof of sound asks
whether there is any. Input 2, where fitted, sees the line's leakage to earth: 3.3 V through 470 kΩ to the line.

What the voltages mean is found out once, at commissioning, and written into the board's file.
"""

from __future__ import annotations

import asyncio
import logging
import math
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

from hardware.ads1115 import Ads1115
from hardware.errors import CardLostError
from hardware.i18n import N_
from hardware.steps import walk

VOLTAGE: Final = 0
CURRENT: Final = 1
EARTH: Final = 2
SOUND_RANGE_UV: Final = 4_096_000
_LOOK_S: Final = 0.1
_WINDOW_S: Final = 1.0
_FRESH_S: Final = 3.0
"""A level older than this is none: longer than a pilot lasts, during which none is measured."""
_MISSES_MAX: Final = 3
"""Somebody else's chip may hold the bus for a moment, so one miss is none."""
_SILENCE_CDB: Final = -12_000
_FULL_SINE_CDB: Final = -301
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class LineScale:
    """What the converter's voltages mean at this line.

    Attributes:
        full_uv: at input 0, while the amplifier gives its full output with a sine.
        rest_uv: at input 0 and 1, while it is off.
        full_volts: of the line at full output; 100 V lines have 100.
        full_amperes: what `full_current_uv` at input 1 stands for.
    """

    full_uv: int = 3_000_000
    rest_uv: int = 0
    full_volts: float = 100.0
    full_current_uv: int = 3_000_000
    full_amperes: float = 1.0

    def volts(self, value_uv: float) -> float:
        """RMS voltage of the line."""
        return max(0.0, value_uv - self.rest_uv) / (self.full_uv - self.rest_uv) * self.full_volts

    def amperes(self, value_uv: float) -> float:
        """RMS current in the line."""
        return max(0.0, value_uv - self.rest_uv) / (self.full_current_uv - self.rest_uv) * self.full_amperes


class LineMeter:
    """Implements `hardware.interfaces.Meter` while `run` runs; lends the converter to the line check."""

    def __init__(self, converter: Ads1115, *, scale: LineScale | None = None) -> None:
        self._converter = converter
        self.scale = scale or LineScale()
        self._powers: deque[tuple[float, float]] = deque(maxlen=round(_WINDOW_S / _LOOK_S))
        self._lock = asyncio.Lock()
        self._misses = 0
        self.trouble = ""

    def level_cdb(self) -> int | None:
        """See `hardware.interfaces.Meter`: a sine at the amplifier's full output measures -301."""
        now_s = asyncio.get_running_loop().time()
        powers = [power for at_s, power in self._powers if now_s - at_s <= _FRESH_S]
        if not powers:
            return None
        mean = sum(powers) / len(powers)
        if mean <= 0:
            return _SILENCE_CDB
        return max(_SILENCE_CDB, min(0, round(1000 * math.log10(mean)) + _FULL_SINE_CDB))

    async def run(self) -> None:
        """Looks ten times a second, for ever."""
        loop = asyncio.get_running_loop()
        while True:
            try:
                async with self._lock:
                    value_uv = await self.look_uv(VOLTAGE)
                part = self.scale.volts(value_uv) / self.scale.full_volts
                self._powers.append((loop.time(), part * part))
            except CardLostError:
                pass  # told in `trouble`
            await asyncio.sleep(_LOOK_S)

    async def look_uv(self, channel: int, *, range_uv: int = SOUND_RANGE_UV) -> int:
        """One conversion. Raises CardLostError."""
        try:
            value_uv = await walk(self._converter.convert(channel, range_uv=range_uv))
        except OSError as error:
            self._missed(error)
            raise CardLostError(N_("the meter's converter does not answer: %(why)s"), why=error) from error
        if self._misses >= _MISSES_MAX:
            _log.info("the meter answers again")
        self._misses, self.trouble = 0, ""
        return value_uv

    @asynccontextmanager
    async def lent(self) -> AsyncIterator[None]:
        """No level is measured meanwhile: a pilot is no sound."""
        async with self._lock:
            yield

    def _missed(self, error: OSError) -> None:
        self._misses += 1
        if self._misses == _MISSES_MAX:
            self.trouble = f"the converter does not answer: {error}"
            _log.warning("meter: %s", self.trouble)
