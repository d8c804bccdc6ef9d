"""A 100 V line with its horns, the sensors on it and the pilot's oscillator: what stands at the meter's converter."""

from __future__ import annotations

from collections.abc import Callable

_PILOT_VOLTS = 6.0
_PILOT_OHM = 100.0
_VOLT_UV = 30_000
_AMPERE_UV = 3_000_000
_PULL_UV = 3_300_000
_PULL_OHM = 470_000.0


class SimSwitch:
    """Something that a pin switches: the amplifier's enable line, the pilot's relay. Implements `Amplifier`."""

    def __init__(self) -> None:
        self.on = False

    async def switch(self, on: bool) -> None:
        """See `hardware.interfaces.Amplifier`."""
        self.on = on


class SimSpeakerLine:
    """The line. Sound comes from the amplifier while it is on; the pilot only reaches a line that hears no sound.

    Args:
        ohm: impedance of line and horns at the pilot's 25 Hz.

    Attributes:
        sound_volts: what the amplifier gives while it is on.
        leak_ohm: from the line to earth.
        rest_uv: what the rectifiers give at nothing.
        both: pilot and amplifier were on at the same time, which must never be.
    """

    def __init__(self, *, ohm: float = 300.0) -> None:
        self.ohm = ohm
        self.sound_volts: Callable[[], float] = lambda: 0.0
        self.leak_ohm = 10_000_000.0
        self.rest_uv = 0.0
        self.amplifier, self.pilot = SimSwitch(), SimSwitch()
        self.both = False

    def inputs_uv(self, channel: int) -> float:
        """What the converter's input sees: rectified voltage, rectified current, leakage, nothing."""
        self.both = self.both or (self.amplifier.on and self.pilot.on)
        if channel == 2:
            return _PULL_UV * self.leak_ohm / (self.leak_ohm + _PULL_OHM)
        if channel > 2:
            return 0.0
        volts = self._volts()
        value = volts * _VOLT_UV if channel == 0 else volts / max(self.ohm, 0.1) * _AMPERE_UV
        return self.rest_uv + value

    def _volts(self) -> float:
        if self.amplifier.on:
            return self.sound_volts()
        if self.pilot.on:
            return _PILOT_VOLTS * self.ohm / (self.ohm + _PILOT_OHM)
        return 0.0
