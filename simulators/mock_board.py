"""A board without a board: mock pins, a modelled I2C bus with its chips, and ALSA without a card behind real drivers.

The drivers are those of a real board; only what they reach is made up. Sound goes through libasound's own plug-ins:
open `simulators.alsa_plugins.alsa_plugins` around the board.
"""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Final

from hardware.access import Access
from hardware.board_file import (
    AmplifierPart,
    BoardFile,
    ClockChipPart,
    LampPins,
    MeterPart,
    MicrophonePart,
    PanelPins,
    SoundPart,
    TunerPart,
)
from simulators.ads1115_chip import Ads1115Chip
from simulators.chip_air import air_of
from simulators.ds3231_chip import Ds3231Chip
from simulators.fm_station import SimEther, SimStation
from simulators.i2c_bus import SimI2cBus
from simulators.melody import melody
from simulators.mock_pins import MockPins
from simulators.si4703_chip import Si4703Chip
from simulators.speaker_line import SimSpeakerLine

CARD: Final = "loa_file"
INPUT: Final = "loa_input"
AMPLIFIER_PIN: Final = 17
RESET_PIN: Final = 4
PILOT_PIN: Final = 24
LINE_OHM: Final = 300
BUTTONS: Final = PanelPins(talk=5, key=6, stop=13, message_1=19, message_2=26, message_3=16)
LAMPS: Final = LampPins(on_air=22, link=27, fault=23)
STATION_KHZ: Final = 99_900


def mock_file() -> BoardFile:
    """A board with everything that needs no guardian."""
    return BoardFile(
        variant="own",
        sound=SoundPart(CARD),
        microphone=MicrophonePart(INPUT),
        amplifier=AmplifierPart(AMPLIFIER_PIN),
        buttons=BUTTONS,
        lamps=LAMPS,
        tuner=TunerPart(INPUT, reset_pin=RESET_PIN),
        meter=MeterPart(pilot_pin=PILOT_PIN, learned_ohm=LINE_OHM),
        clock_chip=ClockChipPart(),
    )


class MockParts:
    """What the drivers of a mock board reach. Made inside the running event loop.

    Attributes:
        access: to be given to `hardware.board.HardwareBoard`.
        pins: press and read them.
        bus: take a chip out of it and its driver meets an empty address.
        ether: stations that the FM chip receives.
        line: the speaker line that the meter measures; amplifier and pilot are switched by their pins.
        clock_chip: has lost its battery until it is set.
    """

    def __init__(self, ether: SimEther | None = None) -> None:
        loop = asyncio.get_running_loop()

        def now_ms() -> float:
            return loop.time() * 1000

        self.pins, self.bus = MockPins(), SimI2cBus()
        self.ether = ether or SimEther(SimStation(STATION_KHZ, melody(2, duration_ms=1000), pi="A201", ps="VOV1"))
        self.fm_chip = Si4703Chip(now_ms, air_of(self.ether), self.bus.data_is_low)
        self.line = SimSpeakerLine(ohm=LINE_OHM)
        self.meter_chip = Ads1115Chip(now_ms, self.line.inputs_uv)
        self.clock_chip = Ds3231Chip(now_ms)
        self.bus.chips = {0x10: self.fm_chip, 0x48: self.meter_chip, 0x68: self.clock_chip}
        self.pins.pin(RESET_PIN).told = self.fm_chip.reset
        self.pins.pin(AMPLIFIER_PIN).told = partial(setattr, self.line.amplifier, "on")
        self.pins.pin(PILOT_PIN).told = partial(setattr, self.line.pilot, "on")
        self.access = Access(pins=lambda: self.pins.factory, i2c=lambda _: self.bus)


def mock_parts() -> MockParts:
    """Parts for `mock_file`."""
    return MockParts()
