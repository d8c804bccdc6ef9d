"""The numbers among the rules of a unit's loudspeakers: what people call them, in which unit they see them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from controller.web.i18n import N_


@dataclass(frozen=True, slots=True)
class Number:
    """A number that people see in their unit and documents carry in theirs.

    Attributes:
        factor: document's value for 1 of the people's unit.
    """

    name: str
    title: str
    hint: str
    unit: str
    factor: int
    low: int
    high: int


NUMBERS: Final = (
    Number(
        "ordinary_attenuation_cdb",
        N_("Ordinary bulletins quieter by"),
        N_("0 is full loudness. 6 dB quieter sounds clearly softer."),
        "dB",
        100,
        0,
        60,
    ),
    Number(
        "priority_attenuation_cdb", N_("Priority bulletins quieter by"), N_("0 is full loudness."), "dB", 100, 0, 60
    ),
    Number(
        "emergency_attenuation_cdb",
        N_("Emergencies quieter by"),
        N_("0 is best: an emergency must be heard indoors and in rain."),
        "dB",
        100,
        0,
        12,
    ),
    Number(
        "talk_ms_max",
        N_("Microphone ends by itself after"),
        N_("A talk button that is stuck would otherwise speak for ever."),
        N_("minutes"),
        60_000,
        1,
        60,
    ),
    Number(
        "fm_session_ms_max",
        N_("Radio ends by itself after"),
        N_("Longest time for which the radio may be open at once."),
        N_("minutes"),
        60_000,
        1,
        360,
    ),
    Number(
        "rssi_floor_dbuv",
        N_("Weakest radio signal"),
        N_("Below this the radio stays silent instead of hissing. Usually 30."),
        "dBµV",
        1,
        0,
        80,
    ),
    Number(
        "amplifier_lead_in_ms",
        N_("Amplifier on before the first word"),
        N_("So that no word is cut off. Usually 700."),
        "ms",
        1,
        0,
        3000,
    ),
    Number(
        "amplifier_hold_ms",
        N_("Amplifier stays on afterwards for"),
        N_("Then it is switched off, and nothing crackles."),
        N_("seconds"),
        1000,
        1,
        60,
    ),
    Number(
        "head_age_ms_max",
        N_("Plays stored programmes without contact for"),
        N_("After so many days without word from the centre, stored programmes stop."),
        N_("days"),
        86_400_000,
        1,
        92,
    ),
)
