"""A board without a board: mock pins, a modelled I2C bus with its chips, and ALSA without a card behind real drivers.

The drivers are those of a real board; only what they reach is made up. Sound goes through libasound's own plug-ins:
open `simulators.alsa_plugins.alsa_plugins` around the board.
"""

from __future__ import annotations

import asyncio
from typing import Final

from hardware.access import Access
from hardware.board_file import (
    AmplifierPart,
    BoardFile,
    LampPins,
    MicrophonePart,
    PanelPins,
    SoundPart,
    TunerPart,
)
from simulators.chip_air import air_of
from simulators.fm_station import SimEther, SimStation
from simulators.i2c_bus import SimI2cBus
from simulators.melody import melody
from simulators.mock_pins import MockPins
from simulators.si4703_chip import Si4703Chip

CARD: Final = "loa_file"
INPUT: Final = "loa_input"
AMPLIFIER_PIN: Final = 17
RESET_PIN: Final = 4
BUTTONS: Final = PanelPins(talk=5, key=6, stop=13, message_1=19, message_2=26, message_3=16)
LAMPS: Final = LampPins(on_air=22, link=27, fault=23)
STATION_KHZ: Final = 99_900


def mock_file() -> BoardFile:
    """A board with everything that needs no guardian."""
    return BoardFile(
        variant="mock",
        sound=SoundPart(CARD),
        microphone=MicrophonePart(INPUT),
        amplifier=AmplifierPart(AMPLIFIER_PIN),
        buttons=BUTTONS,
        lamps=LAMPS,
        tuner=TunerPart(INPUT, reset_pin=RESET_PIN),
    )


class MockParts:
    """What the drivers of a mock board reach. Made inside the running event loop.

    Attributes:
        access: to be given to `hardware.board.HardwareBoard`.
        pins: press and read them.
        bus: take a chip out of it and its driver meets an empty address.
        ether: stations that the FM chip receives.
    """

    def __init__(self, ether: SimEther | None = None) -> None:
        loop = asyncio.get_running_loop()
        self.pins, self.bus = MockPins(), SimI2cBus()
        self.ether = ether or SimEther(SimStation(STATION_KHZ, melody(2, duration_ms=1000), pi="A201", ps="VOV1"))
        self.fm_chip = Si4703Chip(lambda: loop.time() * 1000, air_of(self.ether), self.bus.data_is_low)
        self.bus.chips[0x10] = self.fm_chip
        self.pins.pin(RESET_PIN).told = self.fm_chip.reset
        self.access = Access(pins=lambda: self.pins.factory, i2c=lambda _: self.bus)


def mock_parts() -> MockParts:
    """Parts for `mock_file`."""
    return MockParts()
