"""A board starts with whatever answers, tells what does not, and leaves its relays open at the end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from hardware.access import Access
from hardware.board import HardwareBoard
from hardware.board_file import AmplifierPart, BoardFile, GuardianPart, SelectorPart, TunerPart
from hardware.board_watch import BoardWatch
from hardware.ds3231 import Ds3231
from hardware.errors import BoardError, CardLostError
from hardware.interfaces import Button, Condition, Glow, LampStates, Part, Pressed
from simulators.mock_board import AMPLIFIER_PIN, BUTTONS, LAMPS, STATION_KHZ, MockParts, mock_file, mock_parts

VIRTUAL_TIME = True


@pytest.fixture
async def parts() -> MockParts:
    return mock_parts()


@pytest.fixture
async def board(parts: MockParts) -> AsyncIterator[HardwareBoard]:
    board = HardwareBoard(mock_file(), parts.access)
    yield board
    await board.close()


async def first(board: HardwareBoard) -> Condition:
    async with asyncio.timeout(60):
        return await anext(aiter(board.watch().conditions()))


async def watched(board: HardwareBoard) -> None:
    async for _ in board.watch().conditions():
        pass


async def test_whole_board_is_opened(board: HardwareBoard) -> None:
    assert board.broken == {}


async def test_amplifier_is_the_pin_of_the_file(board: HardwareBoard, parts: MockParts) -> None:
    await board.amplifier().switch(True)
    assert parts.pins.pin(AMPLIFIER_PIN).state
    await board.close()
    assert list(parts.pins.pin(AMPLIFIER_PIN).levels) == [False, True, False, False]


async def test_buttons_and_lamps_are_those_of_the_file(board: HardwareBoard, parts: MockParts) -> None:
    board.lamps().show(LampStates(fault=Glow.ON))
    assert LAMPS.fault and parts.pins.pin(LAMPS.fault).state
    presses = board.buttons().presses()
    assert BUTTONS.stop
    parts.pins.close_contact(BUTTONS.stop, True)
    assert await anext(presses) == Pressed(Button.STOP, True)


async def test_tuner_hears_its_station(board: HardwareBoard) -> None:
    tuner = board.tuner()
    assert tuner is not None
    await tuner.tune(STATION_KHZ)
    await asyncio.sleep(2)
    assert (await tuner.signal()).pi == "A201"


async def test_meter_hears_what_the_amplifier_lets_out(board: HardwareBoard, parts: MockParts) -> None:
    parts.line.sound_volts = lambda: 100.0
    watching = asyncio.create_task(watched(board))
    await asyncio.sleep(2)
    assert (board.meter().level_cdb() or 0) < -10_000
    await board.amplifier().switch(True)
    await asyncio.sleep(2)
    level_cdb = board.meter().level_cdb()
    assert level_cdb is not None and level_cdb > -400
    watching.cancel()


async def test_cut_line_is_found_by_the_pilot_and_never_beside_sound(board: HardwareBoard, parts: MockParts) -> None:
    parts.line.ohm = 1_000_000
    found = {}
    async with asyncio.timeout(200):
        async for condition in board.watch().conditions():
            found[condition.part] = condition
            if Part.SPEAKER_LINE in found:
                break
    assert not found[Part.SPEAKER_LINE].healthy
    assert "open" in found[Part.SPEAKER_LINE].detail
    assert found[Part.TUNER].healthy and not found[Part.CLOCK_CHIP].healthy
    await board.amplifier().switch(True)
    assert not parts.line.both


async def test_clock_chip_that_was_set_tells_the_time(board: HardwareBoard) -> None:
    assert await board.chips.chip_time_ms() is None
    chip = board.chips.clock
    assert isinstance(chip, Ds3231)
    chip.set(1_800_000_000)
    await asyncio.sleep(10)
    assert await board.chips.chip_time_ms() == 1_800_000_010_000


async def test_chips_that_are_gone_are_told(board: HardwareBoard, parts: MockParts) -> None:
    parts.bus.chips.clear()
    sick = set()
    async with asyncio.timeout(200):
        async for condition in board.watch().conditions():
            assert not condition.healthy
            sick.add(condition.part)
            if len(sick) == 4:
                break
    assert sick == {Part.TUNER, Part.METER, Part.CLOCK_CHIP, Part.SPEAKER_LINE}
    assert board.meter().level_cdb() is None


async def test_board_without_a_file_is_a_sound_card(parts: MockParts) -> None:
    board = HardwareBoard(BoardFile(), parts.access)
    assert board.tuner() is None and board.guardian() is None
    assert board.meter().level_cdb() is None
    board.lamps().show(LampStates(fault=Glow.BLINK))
    await board.amplifier().switch(True)
    with pytest.raises(CardLostError, match="no microphone"):
        await board.microphone().open()
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(anext(aiter(board.buttons().presses())), 60)
    await board.close()


async def test_machine_without_pins_and_buses_still_has_a_board() -> None:
    def nothing(*_: object) -> None:
        raise BoardError("there is none here")

    board = HardwareBoard(mock_file(), Access(pins=nothing, i2c=nothing))  # type: ignore[arg-type]
    assert set(board.broken) == {"amplifier", "buttons", "lamps", "tuner", "meter", "clock_chip", "pilot"}
    await board.amplifier().switch(True)
    assert await first(board) == Condition(Part.TUNER, False, "there is none here")
    await board.close()


async def test_silent_village_is_told_of_its_amplifier(parts: MockParts) -> None:
    """A board without a meter hears nothing of itself: an amplifier that cannot be switched must not look well."""

    def pins() -> object:
        raise BoardError("there are no pins to be had: lgpio is missing")

    file = BoardFile(amplifier=AmplifierPart(AMPLIFIER_PIN))
    board = HardwareBoard(file, replace(parts.access, pins=pins))
    found = await first(board)
    assert (found.part, found.healthy) == (Part.SPEAKER_LINE, False)
    assert found.detail == "amplifier: there are no pins to be had: lgpio is missing"
    await board.close()


async def test_whole_line_does_not_make_a_broken_selector_well(parts: MockParts) -> None:
    class Lines:
        async def conditions(self) -> AsyncIterator[Condition]:
            yield Condition(Part.SPEAKER_LINE, True, "300 ohm at 25 Hz")
            yield Condition(Part.POWER, True)

    watch = BoardWatch({"selector": "pin 17 cannot be an output"}, Lines())
    assert [(one.part, one.healthy) async for one in watch.conditions()] == [
        (Part.SPEAKER_LINE, False),
        (Part.POWER, True),
    ]


async def test_tuner_that_is_not_there_is_lost_when_it_is_asked(parts: MockParts) -> None:
    del parts.bus.chips[0x10]
    board = HardwareBoard(mock_file(), parts.access)
    tuner = board.tuner()
    assert tuner is not None
    with pytest.raises(CardLostError):
        await tuner.tune(STATION_KHZ)
    await board.close()


async def test_guardian_without_a_key_is_told(parts: MockParts, tmp_path: Path) -> None:
    guardian = GuardianPart("/dev/serial0", str(tmp_path / "guardian.key"))
    file = replace(mock_file(), amplifier=None, guardian=guardian, tuner=TunerPart("loa_input", behind_guardian=True))
    board = HardwareBoard(file, parts.access)
    assert set(board.broken) == {"guardian", "tuner"}
    assert "pair the guardian again" in board.broken["guardian"]
    conditions = board.watch().conditions()
    assert [(await anext(conditions)).part for _ in range(2)] == [Part.TUNER, Part.GUARDIAN]
    await conditions.aclose()  # type: ignore[attr-defined]
    await board.close()


async def test_selector_hears_the_computer_before_the_amplifier_is_on(parts: MockParts) -> None:
    file = BoardFile(amplifier=AmplifierPart(17), selector=SelectorPart(computer_pin=22, fm_pin=27))
    board = HardwareBoard(file, parts.access)
    await board.amplifier().switch(True)
    assert [bool(parts.pins.pin(one).state) for one in (17, 22, 27)] == [True, True, False]
    await board.close()
    assert [bool(parts.pins.pin(one).state) for one in (17, 22, 27)] == [False, False, False]


async def test_unwise_pin_is_remarked_at_the_start(parts: MockParts, caplog: pytest.LogCaptureFixture) -> None:
    await HardwareBoard(BoardFile(amplifier=AmplifierPart(17, active_high=False)), parts.access).close()
    assert "pulled down at power-on" in caplog.text
