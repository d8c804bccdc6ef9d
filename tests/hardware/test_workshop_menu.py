"""The workshop's menu as a technician uses it, and as nobody should."""

from __future__ import annotations

import fcntl
import io
import random
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from hardware.i18n import CATALOGUE
from hardware.selftest.trials import TRIALS
from hardware.workshop import trying
from hardware.workshop.menu import Menu, Tools
from hardware.workshop.papers import papers
from hardware.workshop.terminal import HungUpError, Terminal
from tests.hardware.workshop_bench import (
    CLOCK,
    LANGUAGE,
    LEAVE,
    PAIR,
    PAPERS,
    SAVE,
    TOKEN,
    TRY_ALL,
    TRY_ONE,
    TRY_SILENT,
    Bench,
    Helper,
    board,
    opened,
)


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with opened(tmp_path) as made:
        yield made


@pytest.fixture(autouse=True)
def noon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trying, "is_night", lambda _: False)


def test_menu_speaks_vietnamese_and_english(bench: Bench) -> None:
    CATALOGUE.use("vi")
    told = bench.use(LANGUAGE, LANGUAGE)
    assert told.count("Thử tất cả các bộ phận") == 2 and told.count("Try all parts\n") == 1
    assert "8  English" in told and "8  Tiếng Việt" in told


@pytest.mark.parametrize("typed", ["1", " 1 ", "1.", "1)"])
def test_everything_is_tried_and_the_report_kept(bench: Bench, typed: str) -> None:
    board(bench)
    bench.use(typed)
    (arguments,) = bench.runs
    assert "--only" not in arguments and "--yes-at-night" not in arguments
    assert arguments[arguments.index("--json") + 1] == str(bench.place.report)
    assert arguments[arguments.index("--board") + 1] == str(bench.place.etc / "board.json")
    assert arguments[arguments.index("--lang") + 1] == "en"


def test_everything_without_a_sound_leaves_out_what_is_heard(bench: Bench) -> None:
    bench.use(TRY_SILENT)
    names = bench.runs[0][bench.runs[0].index("--only") + 1].split(",")
    assert set(names) == {one.name for one in TRIALS} - {"relay", "sound"}


def test_one_part_is_chosen_by_its_number(bench: Bench) -> None:
    told = bench.use(TRY_ONE, 3, TRY_ONE, "", TRY_ONE, 99, TRY_ONE, "²", TRY_ONE, "disk")
    assert [one[one.index("--only") + 1] for one in bench.runs] == [TRIALS[2].name]
    assert told.count("There is no such number.") == 3


def test_by_night_it_is_asked_before_it_sounds(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trying, "is_night", lambda _: True)
    bench.use(TRY_ALL, "no", TRY_ALL, "co", TRY_ALL, "Có", TRY_SILENT)
    assert ["--yes-at-night" in one for one in bench.runs] == [False, True, True, False]


def test_selftest_that_was_broken_off_is_told(bench: Bench) -> None:
    bench.code = -9
    assert "broken off (-9)" in bench.use(TRY_ALL)


def test_two_terminals_do_not_work_on_the_parts_at_once(bench: Bench) -> None:
    with (bench.place.run / "busy").open("ab") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        assert "other terminal" in bench.use(TRY_ALL)
    assert not bench.runs
    bench.use(TRY_ALL)
    assert len(bench.runs) == 1


def test_report_is_saved_under_the_name_of_the_device(bench: Bench) -> None:
    assert "no report yet" in bench.use(SAVE)
    told = bench.use(TRY_ALL, SAVE)
    ((line, content),) = bench.helper.done
    assert line.startswith(f"report dev-c07-{datetime.now(UTC).year}") and content == "{}"
    assert "may be pulled out" in told


def test_helper_that_refuses_is_told_and_the_menu_comes_back(bench: Bench) -> None:
    bench.helper = Helper("there is no room")
    told = bench.use(TRY_ALL, SAVE, LEAVE, "y")
    assert told.count("It did not work: there is no room") == 2
    assert told.count("===") == 2 * 4


def test_workshop_is_left_after_a_yes_only(bench: Bench) -> None:
    bench.use(LEAVE, "", LEAVE, "n", LEAVE, "khong")
    assert not bench.helper.done
    told = bench.use(LEAVE, "dong y", PAPERS)
    assert bench.helper.done == [("leave now", "")]
    assert told.rstrip().endswith("It starts anew …"), "nothing is asked any more"


def test_papers_show_who_it_is_and_no_secret(bench: Bench) -> None:
    board(bench, guardian={"port": "/dev/serial0"}, clock_chip={"address": "0x68"})
    told = bench.use(PAPERS)
    for one in ("dev-c07", "vn/hue/c07", "https://controller.example/x", "broker.example:8883", '"/dev/serial0"'):
        assert one in told
    assert TOKEN not in told


@pytest.mark.parametrize(
    "rubbish",
    [
        b"",
        b"\x00" * 70_000,
        b"[]",
        b"[" * 50_000,
        b'{"device": {"a": 1}}',
        b'{"sound": {"cadr": "x"}}',
        b"\xff\x1b[2J\n",
    ],
)
def test_papers_take_rubbish(bench: Bench, rubbish: bytes) -> None:
    for name in ("device.json", "board.json"):
        (bench.place.etc / name).write_bytes(rubbish)
    lines = list(papers(bench.place))
    assert lines and len(lines) < 100
    assert all("\x1b" not in one and len(one) < 400 for one in lines)
    bench.use(PAPERS, TRY_ALL, PAIR, CLOCK)


def test_device_without_papers_is_told_so(bench: Bench) -> None:
    (bench.place.etc / "device.json").unlink()
    assert "not enrolled" in bench.use(PAPERS)


def test_rubbish_leads_nowhere(bench: Bench) -> None:
    dice = random.Random(11)
    lines = ["", "0", "10", "-1", "1;sh", "$(reboot)", "`id`", "../..", "!sh", "١", "a" * 5000, "\x1b[A", "\x03\x04"]
    lines += ["".join(chr(dice.randrange(32, 0x2FFF)) for _ in range(dice.randrange(1, 200))) for _ in range(200)]
    bench.use(*(one.replace("\n", "").replace("\r", "") for one in lines if one.strip() not in "123456789"))
    assert not bench.runs and not bench.helper.done


def test_line_without_an_end_is_nobody(bench: Bench) -> None:
    terminal = Terminal(io.StringIO("1" * 1_000_000), io.StringIO())
    with pytest.raises(HungUpError):
        Menu(terminal, bench.place, Tools(bench.helper, bench.run)).serve()
    assert not bench.runs


def test_each_line_proves_that_somebody_is_there(bench: Bench) -> None:
    bench.use("x")
    first = (bench.place.run / "keys").read_text()
    bench.use("y")
    assert (bench.place.run / "keys").read_text() != first


class Impatient(io.StringIO):
    """Ctrl-C is pressed at the first questions, then the terminal is gone."""

    def __init__(self, presses: int) -> None:
        super().__init__()
        self._presses = presses

    def readline(self, size: int | None = -1, /) -> str:  # type: ignore[override]
        self._presses -= 1
        if self._presses >= 0:
            raise KeyboardInterrupt
        return ""


def test_control_c_brings_the_menu_again(bench: Bench) -> None:
    told = io.StringIO()
    with pytest.raises(HungUpError):
        Menu(Terminal(Impatient(3), told), bench.place, Tools(bench.helper)).serve()
    assert told.getvalue().count("===") == 2 * 4
