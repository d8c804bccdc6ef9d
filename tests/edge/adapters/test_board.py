"""The real agent on real drivers, down to pins, ALSA and chips on a bus: only what is behind these is made up."""

from __future__ import annotations

import asyncio
import audioop
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from edge.adapters.board import AgentBoard, make_board
from edge.adapters.board_clocks import BoardClocks
from edge.adapters.part_events import PartEvents
from edge.adapters.system_clock import SystemClock
from edge.app import run_agent
from edge.config import AgentConfig, ConfigError, read_config
from edge.core.events import BoardPart, ClockRead, ClockSource, PartJudged
from edge.core.state import AgentState
from hardware.errors import CardLostError
from hardware.fm_tuner import RadioTime
from hardware.interfaces import Part
from protocol import codec
from protocol.clock import WallMs
from simulators.alsa_plugins import alsa_plugins
from simulators.machine import LatePlayer
from simulators.melody import melody
from simulators.mock_board import AMPLIFIER_PIN, BUTTONS, CARD, INPUT, MockParts, mock_parts
from simulators.part_watch import SimWatch
from tests.contracts import broker as brokers
from tests.edge.core.office import ANCHOR

BOARD = {
    "variant": "own",
    "sound": {"card": CARD},
    "microphone": {"card": INPUT, "ring": "ring"},
    "amplifier": {"pin": AMPLIFIER_PIN},
    "buttons": {"talk": BUTTONS.talk, "key": BUTTONS.key, "stop": BUTTONS.stop},
    "lamps": {"on_air": 22, "link": 27, "fault": 23},
}


def enrolled(directory: Path, board: dict[str, Any] | None = None, **settings: str) -> AgentConfig:
    (directory / "anchor.json").write_bytes(codec.encode(ANCHOR))
    if board is not None:
        (directory / "board.json").write_text(json.dumps(board))
    device = {
        "device": "dev-c07",
        "place": brokers.PLACE,
        "controller_url": "http://127.0.0.1:1",
        "mqtt_host": "127.0.0.1",
        "mqtt_port": 1,
        "token": "secret",
        "system_clock": False,
        "media_reserve_mb": 0,
        "board": "edge.adapters.board:make_board",
        **settings,
    }
    (directory / "device.json").write_text(json.dumps(device))
    return read_config(directory / "device.json")


class Running:
    """The agent's states, and what is to be seen and heard of its board."""

    def __init__(self, parts: MockParts, played: Path) -> None:
        self.parts, self.played = parts, played
        self.state: AgentState | None = None

    def amplified(self) -> bool:
        return bool(self.parts.pins.pin(AMPLIFIER_PIN).state)

    def loud_after(self, position: int) -> bool:
        """Whether something sounds in the last 200 ms of what was played since a position.

        The amplifier is on before the card is opened, and ALSA makes the file then.
        """
        if not self.played.exists():
            return False
        samples = self.played.read_bytes()[position:][-19_200:]
        return bool(samples) and audioop.rms(samples[: len(samples) // 2 * 2], 2) > 100

    async def wait(self, holds: Callable[[], bool]) -> None:
        async with asyncio.timeout(20):
            while not holds():
                await asyncio.sleep(0.02)


@asynccontextmanager
async def agent(directory: Path, board: dict[str, Any], *, said: bytes) -> AsyncIterator[Running]:
    with alsa_plugins(directory, said=said) as played:
        parts = mock_parts()
        running = Running(parts, played)

        def observe(state: AgentState) -> None:
            running.state = state

        config = enrolled(directory, board)
        hardware = make_board(config, access=parts.access)
        task = asyncio.create_task(run_agent(config, hardware, LatePlayer(), observe=observe))
        try:
            await running.wait(lambda: running.state is not None or task.done())
            yield running
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            await hardware.close()


@pytest.mark.slow
async def test_talk_pin_brings_the_microphone_to_the_card(tmp_path: Path) -> None:
    voice = melody(3, duration_ms=4000)
    async with agent(tmp_path, BOARD, said=voice) as running:
        assert BUTTONS.talk is not None
        assert not running.amplified()
        running.parts.pins.close_contact(BUTTONS.talk, True)
        await running.wait(running.amplified)
        await running.wait(lambda: running.loud_after(0))
        running.parts.pins.close_contact(BUTTONS.talk, False)
        await running.wait(lambda: running.state is not None and running.state.talk is None)
        assert running.amplified()
        position = running.played.stat().st_size + 48_000
        await running.wait(lambda: running.played.stat().st_size > position + 19_200)
        assert not running.loud_after(position)
        await running.wait(lambda: not running.amplified())
        levels = list(running.parts.pins.pin(AMPLIFIER_PIN).levels)
    assert levels == [False, True, False]


@pytest.mark.slow
async def test_agent_runs_though_nothing_of_its_board_is_there(tmp_path: Path) -> None:
    board = {**BOARD, "sound": {"card": "usb:dead:beef"}, "microphone": {"card": "card:Gone"}}
    async with agent(tmp_path, board, said=b"") as running:
        assert BUTTONS.talk is not None
        running.parts.pins.close_contact(BUTTONS.talk, True)
        await running.wait(lambda: running.state is not None and running.state.talk is not None)
        await running.wait(lambda: running.state is not None and not running.state.sound.card_present)


def test_board_file_beside_the_device_file_is_found(tmp_path: Path) -> None:
    assert enrolled(tmp_path).board_file == ""
    assert enrolled(tmp_path, BOARD).board_file == str(tmp_path / "board.json")


def test_named_board_file_is_taken(tmp_path: Path) -> None:
    assert enrolled(tmp_path, BOARD, board_file="other.json").board_file == str(tmp_path / "other.json")


async def test_wrong_board_file_says_what_to_write(tmp_path: Path) -> None:
    config = enrolled(tmp_path, {"amplifer": {"pin": 17}})
    with pytest.raises(ConfigError, match="did you mean 'amplifier'"):
        make_board(config)


async def test_board_without_a_file_is_a_sound_card(tmp_path: Path) -> None:
    board = make_board(enrolled(tmp_path), access=mock_parts().access)
    assert isinstance(board, AgentBoard)
    assert board.tuner() is None and board.guardian() is None
    await board.close()


async def test_found_part_is_judged() -> None:
    watch = SimWatch()
    watch.judge(Part.METER, healthy=False, detail="no answer at 0x48")
    events = PartEvents(watch).events()
    assert await anext(events) == PartJudged(BoardPart.METER, False, "no answer at 0x48")


def test_every_part_has_its_name_in_the_core() -> None:
    assert {part.value for part in Part} == {part.value for part in BoardPart}


class Clocks:
    """The chips of a board that know the time."""

    def __init__(self) -> None:
        self.chip_ms: int | None = 1_700_000_000_000
        self.lost = False
        self.told: RadioTime | None = None

    async def chip_time_ms(self) -> int | None:
        if self.lost:
            raise CardLostError("no answer at 0x68")
        return self.chip_ms

    def radio_time(self) -> RadioTime | None:
        return self.told


async def test_clock_chip_and_radio_tell_the_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edge.adapters.board_clocks._RADIO_S", 0.01)
    clocks = Clocks()
    events = BoardClocks(clocks).events()
    chip = await anext(events)
    assert isinstance(chip, ClockRead) and chip.read is not None
    assert chip == ClockRead(ClockSource.RTC, WallMs(1_700_000_000_000), chip.read)
    assert 0 <= SystemClock().now().mono - chip.read < 5000
    clocks.told = RadioTime(1_700_000_060, 420, asyncio.get_running_loop().time())
    read = await anext(events)
    assert isinstance(read, ClockRead) and read.source is ClockSource.RDS
    assert 0 <= read.wall - 1_700_000_060_000 < 5000
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(anext(events), 0.1)


@pytest.mark.parametrize("lost", [True, False])
async def test_clock_that_does_not_know_says_nothing(lost: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edge.adapters.board_clocks._RADIO_S", 0.01)
    clocks = Clocks()
    clocks.chip_ms, clocks.lost = None, lost
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(anext(aiter(BoardClocks(clocks).events())), 0.1)
