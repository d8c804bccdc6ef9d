"""The parts of a fleet that are tried alone."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from edge.adapters.outbox import SqliteOutbox
from protocol import codec
from protocol.limits import REPORT_BYTES_MAX
from protocol.report import AsRun, Status
from simulators.bench.status_load import letters
from simulators.fleet.day import fill_outbox, letters_waiting
from simulators.fleet.muster import MARKS_MAX, Muster
from simulators.fleet.names import resident
from simulators.fleet.town import wall_now

COMMUNES = ("vn/92/31135", "vn/92/31120")


def test_muster_tells_once_when_all_have_come(capsys: pytest.CaptureFixture[str]) -> None:
    muster = Muster(2)
    for device, at_ns in (("a", 5), ("a", 7), ("b", 3), ("b", 9)):
        muster.mark("here", device, at_ns)
    assert [json.loads(line) for line in capsys.readouterr().out.splitlines()] == [{"mark": "here", "at_ns": [3, 5]}]


def test_muster_forgets_the_oldest_of_too_many_marks(capsys: pytest.CaptureFixture[str]) -> None:
    muster = Muster(2)
    for number in range(MARKS_MAX + 1):
        muster.mark(f"mark-{number}", "a", 1)
    muster.mark("mark-0", "b", 2)
    assert capsys.readouterr().out == ""
    muster.tell("mark-1000")
    assert json.loads(capsys.readouterr().out)["at_ns"] == [1]


def test_day_offline_lies_in_the_devices_own_outbox(tmp_path: Path) -> None:
    fill_outbox(tmp_path, "d00001", 40)
    assert letters_waiting(tmp_path) == 40
    outbox = SqliteOutbox(tmp_path / "outbox.db")
    kept = [codec.decode(AsRun, one.letter.payload, bytes_max=REPORT_BYTES_MAX) for one in outbox.oldest(100)]
    outbox.close()
    assert len({one.id for one in kept}) == 40
    assert letters_waiting(tmp_path / "nobody") == 0


def test_neighbours_by_number_are_spread_over_the_communes() -> None:
    assert [resident(number, COMMUNES).place for number in range(3)] == [
        "vn/92/31135/d00000",
        "vn/92/31120/d00001",
        "vn/92/31135/d00002",
    ]


def test_load_is_statuses_that_a_controller_takes() -> None:
    begin = wall_now()
    made = letters([resident(number, COMMUNES) for number in range(3)], rounds=2, begin=begin)
    read = [codec.decode(Status, one.payload, bytes_max=REPORT_BYTES_MAX) for one in made]
    assert [(one.device, one.wall - begin) for one in read] == [
        (f"d0000{n}", turn) for turn in (0, 1) for n in range(3)
    ]
