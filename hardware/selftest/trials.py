"""All trials, in the order in which they are run: what asks for nobody first, what sounds last."""

from __future__ import annotations

from typing import Final

from hardware.i18n import N_
from hardware.selftest.clock import try_clock
from hardware.selftest.disk import try_disk
from hardware.selftest.finding import Trial
from hardware.selftest.hands import try_buttons, try_lamps
from hardware.selftest.hearing import try_microphone
from hardware.selftest.line import try_line
from hardware.selftest.link import try_link
from hardware.selftest.power import try_heat, try_power
from hardware.selftest.relay import try_guardian, try_relay
from hardware.selftest.sound import try_sound
from hardware.selftest.stations import try_tuner

TRIALS: Final = (
    Trial("power", N_("Supply"), N_("a weak supply is not noticed before it fails"), try_power, 10.0, on_board=False),
    Trial("heat", N_("Temperature"), N_("an overheated box is not noticed"), try_heat, 5.0, on_board=False),
    Trial("disk", N_("Disk"), N_("nothing can be stored: no programmes, no proof"), try_disk, 45.0, on_board=False),
    Trial(
        "clock",
        N_("Clock"),
        N_("after a power cut without network no programme plays until the time is known"),
        try_clock,
        80.0,
        on_board=False,
        sections=("clock_chip",),
    ),
    Trial("link", N_("Link"), N_("no new programmes, no live speech, no reports"), try_link, 40.0, on_board=False),
    Trial(
        "guardian",
        N_("Guardian"),
        N_("a hung computer means silence, not FM"),
        try_guardian,
        20.0,
        sections=("guardian",),
    ),
    Trial(
        "tuner",
        N_("FM tuner"),
        N_("no relay of FM stations, and no FM when all else fails"),
        try_tuner,
        120.0,
        sections=("tuner",),
    ),
    Trial("lamps", N_("Lamps"), N_("nobody at the box sees how it is"), try_lamps, 75.0, sections=("lamps",)),
    Trial(
        "buttons",
        N_("Buttons"),
        N_("nobody can speak or stop it at the box"),
        try_buttons,
        90.0,
        sections=("buttons",),
    ),
    Trial(
        "microphone",
        N_("Microphone"),
        N_("no announcement at the box"),
        try_microphone,
        30.0,
        sections=("microphone",),
    ),
    Trial(
        "line",
        N_("Line meter"),
        N_("nobody can prove that the horns really sounded"),
        try_line,
        40.0,
        sections=("meter", "pilot"),
    ),
    Trial(
        "relay",
        N_("Amplifier relay"),
        N_("the amplifier cannot be switched: without a guardian it stays on and hums, with one it stays silent"),
        try_relay,
        150.0,
        sections=("amplifier", "selector", "guardian"),
    ),
    Trial("sound", N_("Sound"), N_("nothing is heard at all"), try_sound, 100.0, sections=("sound",)),
)
