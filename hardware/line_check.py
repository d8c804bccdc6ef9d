"""Whether the speaker line is whole: a pilot tone, sent every 90 s while nothing sounds, and the line's impedance.

Direct current says nothing about a 100 V line: horns hang on it through transformers and high-pass capacitors. At
20 kHz two kilometres of cable are a short circuit of 40 Ω, and dogs and children hear it. So the pilot is 25 Hz: the
cable's capacitance has 30 kΩ there, capacitors and transformers of the horns 100 Ω to a few kΩ, a horn that ends at
250 Hz gives nothing of it, and 6 V are 0.4 % of the power. What comes out depends on horns and line, so it is
learned at commissioning; later only its change counts.

The pilot, 6 V through 100 Ω, comes from an oscillator on the amplifier's interface over a PhotoMOS relay, which has
no contacts to wear out (350,000 closings a year) and which one pin switches. `PilotedAmplifier` stands before the
amplifier's switch: the pilot is off before the amplifier is on, whoever asks.

EN 54-16 (clause 8) wants a fault shown within 100 s: 90 s, two measurements and 5 s between them are less. While
sound goes on without a pause there is no pilot; there the level at the line is the proof.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from hardware.errors import CardLostError
from hardware.i18n import N_
from hardware.interfaces import Amplifier, Condition, Part
from hardware.line_meter import CURRENT, EARTH, VOLTAGE, LineMeter

PERIOD_S: Final = 90.0
_CONFIRM_S: Final = 5.0
_AFTER_SOUND_S: Final = 2.0
_PILOT_OFF_S: Final = 0.005
_SETTLE_S: Final = 0.5
"""Five times the detector's hold."""
_LOOKS: Final = 20
_LOOK_S: Final = 0.02
"""Together 400 ms, ten periods of the pilot, so the ripple of the detector cancels."""
_PILOT_RANGE_UV: Final = 256_000
_PILOT_VOLTS_MIN: Final = 0.2
_PILOT_AMPERES_MIN: Final = 0.0002
_EARTH_PULL_UV: Final = 3_300_000
_EARTH_PULL_OHM: Final = 470_000


class LineFault(StrEnum):
    """What is wrong with the line."""

    OPEN = "the line is open"
    SHORT = "the line is short-circuited"
    CHANGED = "horns are missing, or were added"
    EARTH = "the line leaks to earth"
    NO_PILOT = "the pilot does not reach the line"


@dataclass(frozen=True, slots=True)
class LineLimits:
    """When it is a fault, against what was learned; well again only within the narrower limits.

    Attributes:
        learned_ohm: 0 before commissioning: then only gross faults are seen.
        changed: share by which the impedance may differ.
        leak_ohm_min: below it is an earth fault.
        well: how much nearer to the learned value it must come again, as a share of each limit.
    """

    learned_ohm: float = 0.0
    changed: float = 0.2
    open_factor: float = 3.0
    short_factor: float = 0.3
    short_ohm: float = 10.0
    open_ohm: float = 20_000.0
    leak_ohm_min: float = 50_000.0
    well: float = 0.6


@dataclass(frozen=True, slots=True)
class LineReading:
    """What a pilot found. `leak_ohm` is None without the third input."""

    volts: float
    amperes: float
    leak_ohm: float | None = None

    @property
    def ohm(self) -> float:
        """Magnitude of the impedance at 25 Hz."""
        return self.volts / max(self.amperes, 1e-6)


def judge(reading: LineReading, limits: LineLimits, *, sick: bool) -> LineFault | None:
    """What a reading means.

    Args:
        sick: the line was found faulty before, so the narrower limits hold.
    """
    share = limits.well if sick else 1.0
    if reading.leak_ohm is not None and reading.leak_ohm < limits.leak_ohm_min / share:
        return LineFault.EARTH
    if reading.volts < _PILOT_VOLTS_MIN and reading.amperes < _PILOT_AMPERES_MIN:
        return LineFault.NO_PILOT
    learned = limits.learned_ohm
    if reading.ohm < max(limits.short_ohm, learned * limits.short_factor):
        return LineFault.SHORT
    if reading.ohm > (learned * limits.open_factor or limits.open_ohm):
        return LineFault.OPEN
    if learned and abs(reading.ohm / learned - 1) > limits.changed * share:
        return LineFault.CHANGED
    return None


class PilotedAmplifier:
    """Implements `hardware.interfaces.Amplifier` before the real one: pilot and sound are never on together.

    Args:
        pilot: the pilot's switch; a `GpioAmplifier` at its pin does.
    """

    def __init__(self, amplifier: Amplifier, pilot: Amplifier) -> None:
        self._amplifier, self._pilot = amplifier, pilot
        self._lock = asyncio.Lock()
        self._wanted = self._pilot_on = False
        self._measuring: asyncio.Future[LineReading] | None = None
        self._quiet_since_s = -_AFTER_SOUND_S

    async def switch(self, on: bool) -> None:
        """See `hardware.interfaces.Amplifier`; before it goes on, the pilot goes off."""
        if on and not self._wanted:
            self._wanted = True
            if self._measuring is not None:
                self._measuring.cancel()
            await self._silence_pilot()
        elif not on and self._wanted:
            self._wanted = False
            self._quiet_since_s = asyncio.get_running_loop().time()
        await self._amplifier.switch(on)

    async def during_pilot(self, measure: Callable[[], Awaitable[LineReading]]) -> LineReading | None:
        """Measures with the pilot on; None when there is sound, or as soon as it begins."""
        quiet_s = asyncio.get_running_loop().time() - self._quiet_since_s
        async with self._lock:
            if self._wanted or quiet_s < _AFTER_SOUND_S:
                return None
            self._pilot_on = True
            await self._pilot.switch(True)
        measuring = self._measuring = asyncio.ensure_future(measure())
        try:
            await asyncio.wait([measuring])
            return None if measuring.cancelled() else measuring.result()
        finally:
            measuring.cancel()
            self._measuring = None
            await asyncio.shield(self._silence_pilot())

    async def _silence_pilot(self) -> None:
        async with self._lock:
            await self._pilot.switch(False)
            was_on, self._pilot_on = self._pilot_on, False
        if was_on:
            await asyncio.sleep(_PILOT_OFF_S)


class LineCheck:
    """Implements `hardware.part_watch.Check` for the speaker line."""

    part: Final = Part.SPEAKER_LINE
    period_s: Final = PERIOD_S

    def __init__(
        self, meter: LineMeter, amplifier: PilotedAmplifier, limits: LineLimits, *, sees_earth: bool = False
    ) -> None:
        self._meter, self._amplifier, self._limits = meter, amplifier, limits
        self._sees_earth = sees_earth
        self._fault: LineFault | None = None

    async def look(self) -> Condition | None:
        """Measures; what would be news is measured again after 5 s. None when sound was in the way.

        Raises:
            CardLostError: the converter does not answer.
        """
        reading = await self.measure()
        if reading is None:
            return None
        fault = self._judged(reading)
        if (fault is None) != (self._fault is None):
            await asyncio.sleep(_CONFIRM_S)
            reading = await self.measure()
            if reading is None or self._judged(reading) is not fault:
                return None
        self._fault = fault
        return Condition(self.part, fault is None, _told(reading, self._limits, fault))

    async def learn_ohm(self, times: int = 5) -> float:
        """The line's impedance now, for the board's file; at commissioning, when all horns have been heard.

        Raises:
            CardLostError: it cannot be measured, or not one of the readings is like the others.
        """
        readings = [one for one in [await self.measure() for _ in range(times)] if one is not None]
        if not readings:
            raise CardLostError(N_("the line cannot be measured while it sounds"))
        values = sorted(one.ohm for one in readings)
        middle = values[len(values) // 2]
        if values[-1] - values[0] > 0.1 * middle:
            words = N_("the line's impedance is not steady: %(low)d to %(high)d ohm")
            raise CardLostError(words, low=round(values[0]), high=round(values[-1]))
        return round(middle, 1)

    async def measure(self) -> LineReading | None:
        """One pilot of about a second; None when sound was in the way. Raises CardLostError."""
        async with self._meter.lent():
            return await self._amplifier.during_pilot(self._read)

    async def _read(self) -> LineReading:
        await asyncio.sleep(_SETTLE_S)
        looks = []
        for _ in range(_LOOKS):
            voltage_uv = await self._meter.look_uv(VOLTAGE, range_uv=_PILOT_RANGE_UV)
            looks.append((voltage_uv, await self._meter.look_uv(CURRENT, range_uv=_PILOT_RANGE_UV)))
            await asyncio.sleep(_LOOK_S)
        scale = self._meter.scale
        volts = scale.volts(sum(one for one, _ in looks) / _LOOKS)
        amperes = scale.amperes(sum(one for _, one in looks) / _LOOKS)
        return LineReading(volts, amperes, await self._leak_ohm())

    async def _leak_ohm(self) -> float | None:
        if not self._sees_earth:
            return None
        value_uv = max(0, await self._meter.look_uv(EARTH))
        return _EARTH_PULL_OHM * value_uv / max(1, _EARTH_PULL_UV - value_uv)

    def _judged(self, reading: LineReading) -> LineFault | None:
        return judge(reading, self._limits, sick=self._fault is not None)


def _told(reading: LineReading, limits: LineLimits, fault: LineFault | None) -> str:
    learned = f", learned {limits.learned_ohm:.0f}" if limits.learned_ohm else ", none learned"
    leak = "" if reading.leak_ohm is None else f", {reading.leak_ohm / 1000:.0f} kohm to earth"
    return f"{fault.value + ': ' if fault else ''}{reading.ohm:.0f} ohm at 25 Hz{learned}{leak}"
