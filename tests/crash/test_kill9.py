"""Agents, controller and broker are killed under load, a few times; `script/bench kill9` does it for longer."""

from __future__ import annotations

from pathlib import Path

import pytest

from simulators.crash.killing import Plan, Toll, kill_rounds
from simulators.real_town import MOSQUITTO
from tests.component import need

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(("embedded", "rounds"), [(False, 3), (True, 2)], ids=["mosquitto", "embedded"])
async def test_nothing_acknowledged_is_lost_by_kills(tmp_path: Path, embedded: bool, rounds: int) -> None:
    need(embedded or MOSQUITTO is not None, "mosquitto")
    toll = Toll()
    await kill_rounds(tmp_path, Plan(rounds, seed=4, embedded=embedded), toll)
    assert (toll.findings.lost, toll.findings.corrupt) == (set(), set())
    assert sum(toll.kills.values()) == rounds
    assert toll.acknowledged > 50
