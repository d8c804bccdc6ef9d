"""The parts of a board that its own watch looks after."""

from __future__ import annotations

from enum import StrEnum


class BoardPart(StrEnum):
    """A part of the board that can be found sick; the values are those of `hardware.interfaces.Part`."""

    SPEAKER_LINE = "speaker_line"
    POWER = "power"
    GUARDIAN = "guardian"
    TUNER = "tuner"
    CLOCK_CHIP = "clock_chip"
    METER = "meter"
