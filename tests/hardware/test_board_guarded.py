"""A board with a guardian: its relay is the amplifier, its tuner the receiver; the watch tells when it is silent."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from hardware.board import HardwareBoard
from hardware.board_file import BoardFile, GuardianPart, TunerPart
from hardware.interfaces import Condition, Part
from simulators.fm_station import SimEther, SimStation
from simulators.guardian_board import is_there
from simulators.guardian_horn import Through
from simulators.guardian_node import KEY, GuardianNode
from simulators.loop_clock import LoopClock
from simulators.melody import melody
from simulators.mock_board import INPUT, STATION_KHZ, mock_parts
from tests.component import need
from tests.contracts.guardian.pulse import Pulse

VIRTUAL_TIME = True

pytestmark = pytest.mark.slow


@pytest.fixture
async def node() -> AsyncIterator[GuardianNode]:
    need(is_there(), "MicroPython for Node")
    station = SimStation(STATION_KHZ, melody(2, duration_ms=1000), pi="A201")
    async with GuardianNode(LoopClock(), ether=SimEther(station)) as node:
        yield node


@pytest.fixture(params=["raw", "digits"])
async def board(node: GuardianNode, tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[HardwareBoard]:
    key_file = tmp_path / "guardian.key"
    key_file.write_bytes(KEY if request.param == "raw" else KEY.hex().encode() + b"\n")
    file = BoardFile(
        guardian=GuardianPart("/dev/serial0", str(key_file)), tuner=TunerPart(INPUT, behind_guardian=True)
    )
    access = replace(mock_parts().access, uart=lambda _: node.open)
    board = HardwareBoard(file, access)
    assert board.broken == {}
    guardian = board.guardian()
    assert guardian is not None
    async with Pulse(guardian, LoopClock()) as pulse:
        pulse.start()
        while node.through is not Through.COMPUTER:
            await asyncio.sleep(0.05)
        yield board
    await board.close()


async def test_guardian_switches_the_amplifier(board: HardwareBoard, node: GuardianNode) -> None:
    for on in (True, False):
        await board.amplifier().switch(on)
        await asyncio.sleep(0.5)
        assert node.amplifier.on is on


async def test_guardian_tunes(board: HardwareBoard) -> None:
    tuner = board.tuner()
    assert tuner is not None
    await tuner.tune(STATION_KHZ)
    assert (await tuner.signal()).frequency_khz == STATION_KHZ


async def test_silent_guardian_is_found(board: HardwareBoard, node: GuardianNode) -> None:
    found: list[Condition] = []

    async def follow() -> None:
        async for condition in board.watch().conditions():
            if condition.part is Part.GUARDIAN:
                found.append(condition)

    following = asyncio.create_task(follow())
    await asyncio.sleep(6)
    node.cut = True
    await asyncio.sleep(12)
    following.cancel()
    assert [one.healthy for one in found] == [True, False]
    assert found[-1].detail == "it does not answer"
