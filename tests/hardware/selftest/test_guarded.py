"""The self-test on a board with a guardian: the firmware under its own interpreter, behind the real link."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from hardware.board import HardwareBoard
from hardware.board_file import BoardFile, GuardianPart, TunerPart
from hardware.selftest.finding import Result
from hardware.selftest.fitting import parts_of
from hardware.selftest.parts import Parts
from hardware.selftest.relay import try_guardian, try_relay
from hardware.selftest.sound import try_sound
from hardware.selftest.stations import try_tuner
from simulators.board import SimBoard
from simulators.fm_station import SimEther, SimStation
from simulators.guardian_board import is_there
from simulators.guardian_horn import Through
from simulators.guardian_node import KEY, GuardianNode
from simulators.loop_clock import LoopClock
from simulators.mock_board import INPUT, mock_parts
from tests.component import need
from tests.hardware.selftest.desk import bench

pytestmark = pytest.mark.slow


@asynccontextmanager
async def guarded(folder: Path) -> AsyncIterator[tuple[GuardianNode, Parts]]:
    need(is_there(), "MicroPython for Node")
    silence = b"\0\0"
    ether = SimEther(SimStation(91_000, silence, pi="D301", rssi_dbuv=48), SimStation(102_700, silence, rssi_dbuv=30))
    (folder / "guardian.key").write_bytes(KEY)
    tuner, guardian = (
        TunerPart(INPUT, behind_guardian=True),
        GuardianPart("/dev/serial0", str(folder / "guardian.key")),
    )
    async with GuardianNode(LoopClock(), ether=ether) as node:
        access = replace(mock_parts().access, uart=lambda _: node.open)
        parts = parts_of(HardwareBoard(BoardFile(guardian=guardian, tuner=tuner), access))
        async with parts.awake():
            yield node, parts


async def test_guardian_answers_and_keeps_its_plan(tmp_path: Path) -> None:
    async with guarded(tmp_path) as (_, parts):
        finding = await try_guardian(bench(parts))
    assert finding.result is Result.WARN, finding
    assert "no plan yet" in finding.advice
    assert finding.figures["reset_cause"] == "power"


async def test_guardian_whose_line_is_cut_fails(tmp_path: Path) -> None:
    async with guarded(tmp_path) as (node, parts):
        node.cut = True
        finding = await try_guardian(bench(parts))
    assert finding.result is Result.FAIL and "crossed" in finding.advice


async def test_stations_are_found_by_the_guardians_tuner(tmp_path: Path) -> None:
    async with guarded(tmp_path) as (_, parts):
        assert (await try_guardian(bench(parts))).result is Result.WARN
        finding = await try_tuner(bench(parts))
    assert finding.result is Result.OK, finding
    assert [row[0] for row in finding.rows[1:]] == ["91.0", "102.7"]
    assert finding.rows[1][2] == "D301"


async def test_guardians_relay_lets_the_sweep_through(tmp_path: Path) -> None:
    async with guarded(tmp_path) as (node, parts):
        assert (await try_relay(bench(parts))).result is Result.OK
        assert not node.amplifier.on
        card = SimBoard(LoopClock()).card()
        finding = await try_sound(bench(replace(parts, card=card)))
        assert node.through is Through.COMPUTER
    assert finding.result is Result.WARN and "go and listen" in finding.advice
    assert card.frames_written > 160
