"""Finding stations with a tuner that cannot seek by itself, such as the one behind the guardian: step by step."""

from __future__ import annotations

import asyncio
from typing import Final

from hardware.interfaces import FmTuner
from hardware.selftest.parts import Station

FROM_KHZ: Final = 87_500
TO_KHZ: Final = 108_000
STEP_KHZ: Final = 100
_STATION_DBUV: Final = 25
"""As the chip's own seek, see `hardware.si4703`."""
_BESIDE_KHZ: Final = 2 * STEP_KHZ
"""A strong station is heard on its neighbours, too."""
_STATIONS_MAX: Final = 30
_RDS_S: Final = 1.5
_POLL_S: Final = 0.25


async def step_through(tuner: FmTuner, *, from_khz: int = FROM_KHZ, to_khz: int = TO_KHZ) -> tuple[Station, ...]:
    """Goes through the band, then listens to the strongest for their identity. Raises CardLostError."""
    strengths: dict[int, int] = {}
    for frequency_khz in range(from_khz, to_khz + 1, STEP_KHZ):
        await tuner.tune(frequency_khz)
        strengths[frequency_khz] = (await tuner.signal()).rssi_dbuv
    peaks = [one for one in strengths if _is_peak(strengths, one)]
    peaks = sorted(peaks, key=lambda one: -strengths[one])[:_STATIONS_MAX]
    return tuple([await _introduced(tuner, one, strengths[one]) for one in sorted(peaks)])


def _is_peak(strengths: dict[int, int], frequency_khz: int) -> bool:
    own = strengths[frequency_khz]
    nearby = range(frequency_khz - _BESIDE_KHZ, frequency_khz + _BESIDE_KHZ + 1, STEP_KHZ)
    before = [strengths.get(one, 0) for one in nearby if one < frequency_khz]
    after = [strengths.get(one, 0) for one in nearby if one > frequency_khz]
    return own >= _STATION_DBUV and own > max(before, default=0) and own >= max(after, default=0)


async def _introduced(tuner: FmTuner, frequency_khz: int, rssi_dbuv: int) -> Station:
    await tuner.tune(frequency_khz)
    for _look in range(round(_RDS_S / _POLL_S)):
        signal = await tuner.signal()
        if signal.pi is not None:
            return Station(frequency_khz, signal.rssi_dbuv, signal.pi)
        await asyncio.sleep(_POLL_S)
    return Station(frequency_khz, rssi_dbuv)
