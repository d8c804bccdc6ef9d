"""The workshop's menu as a technician uses it, and as nobody should."""

from __future__ import annotations

import fcntl
import io
import json
import random
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import pytest

from hardware.board_file import BoardFile
from hardware.errors import BoardError, CardLostError
from hardware.i18n import CATALOGUE
from hardware.selftest.parts import Parts
from hardware.selftest.trials import TRIALS
from hardware.workshop import pairing, trying
from hardware.workshop.clock import typed_time
from hardware.workshop.errand import Errands
from hardware.workshop.menu import Menu, Tools
from hardware.workshop.pairing import is_guardians_line
from hardware.workshop.papers import papers
from hardware.workshop.place import Place
from hardware.workshop.terminal import HungUpError, Terminal

TRY_ALL, TRY_SILENT, TRY_ONE, PAIR, CLOCK, PAPERS, SAVE, LANGUAGE, LEAVE = range(1, 10)
TOKEN: Final = "secret-of-this-device"


class Helper(Errands):
    """Notes what root would have been asked for."""

    def __init__(self, refusal: str = "") -> None:
        super().__init__(Path("/nowhere"))
        self.done: list[tuple[str, ...]] = []
        self._refusal = refusal

    def _done(self, line: str, content: bytes = b"") -> str:
        if self._refusal:
            raise BoardError(self._refusal)
        self.done.append((line, content.decode()))
        return f"stick loalang-selftest-{line.split()[-1]}.json"


class Bench:
    """A menu, what is typed into it and what it says."""

    def __init__(self, place: Place) -> None:
        self.place, self.helper = place, Helper()
        self.runs: list[list[str]] = []
        self.make_clock: Callable[[BoardFile], Parts] = lambda _: Parts()
        self.code = 0

    def use(self, *lines: object) -> str:
        """Types lines, then hangs up unless it was left; gives what was said."""
        told = io.StringIO()
        typed = io.StringIO("".join(f"{one}\n" for one in lines))
        terminal = Terminal(typed, told, on_line=self.place.touch)
        try:
            Menu(terminal, self.place, Tools(self.helper, self._run, self.make_clock)).serve()
        except HungUpError:
            pass
        return told.getvalue()

    def _run(self, arguments: Sequence[str]) -> int:
        self.runs.append(list(arguments))
        self.place.report.write_text("{}")
        return self.code


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    for name in ("etc", "run"):
        (tmp_path / name).mkdir()
    device = {
        "device": "dev-c07",
        "place": "vn/hue/c07",
        "token": TOKEN,
        "controller_url": f"https://box:{TOKEN}@controller.example/x?key={TOKEN}",
        "mqtt_host": "broker.example",
        "mqtt_port": 8883,
    }
    (tmp_path / "etc" / "device.json").write_text(json.dumps(device))
    CATALOGUE.use("en")
    yield Bench(Place(tmp_path / "etc", tmp_path / "run", tmp_path / "errands"))
    CATALOGUE.use("vi")


def board(bench: Bench, **parts: object) -> None:
    (bench.place.etc / "board.json").write_text(json.dumps({"sound": {"card": "hw:0"}, **parts}))


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
        Menu(terminal, bench.place, Tools(bench.helper, bench._run)).serve()
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


# Clock and guardian.


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ("14:05 23/11/2026", "2026-11-23T14:05:00+07:00"),
        ("14h05 23-11-2026", "2026-11-23T14:05:00+07:00"),
        ("7g05 3.1.2027", "2027-01-03T07:05:00+07:00"),
        ("14:05:30  23/11/2026", "2026-11-23T14:05:30+07:00"),
    ],
)
def test_time_is_typed_as_people_write_it(typed: str, told: str) -> None:
    found = typed_time(typed)
    assert found is not None and found.isoformat() == told


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "14:05",
        "25:00 23/11/2026",
        "14:05 31/02/2026",
        "14:05 23/11/1970",
        "14:05 23/11/99999",
        "١٤:٠٥ 23/11/2026",
        "x",
    ],
)
def test_what_is_no_time_is_none(typed: str) -> None:
    assert typed_time(typed) is None


class Chip:
    """A clock chip without its battery."""

    def __init__(self) -> None:
        self.set_s: list[int] = []

    async def read(self) -> datetime | None:
        return datetime.fromtimestamp(self.set_s[-1], UTC) if self.set_s else None

    async def set(self, utc_s: int) -> None:
        self.set_s.append(utc_s)


@pytest.mark.slow
def test_clock_chip_is_set_by_a_watch(bench: Bench) -> None:
    board(bench, clock_chip={"address": "0x68"})
    chip = Chip()
    bench.make_clock = lambda _: Parts(clock_chip=chip.read, set_clock_chip=chip.set)
    told = bench.use(CLOCK, "14:05 23/11/2027", "n", CLOCK, "14:05 23/11/2027", "co")
    assert "never set" in told and "Nothing was changed" in told
    assert "Clock chip: 14:05:0" in told
    (set_s,) = chip.set_s
    assert 0 < set_s - datetime.fromisoformat("2027-11-23T14:05+07:00").timestamp() <= 5


def test_clock_chip_stays_without_a_time(bench: Bench) -> None:
    assert "names no clock chip" in bench.use(CLOCK)
    board(bench, clock_chip={"address": "0x68"})
    chip = Chip()
    bench.make_clock = lambda _: Parts(clock_chip=chip.read)
    assert "cannot be set here" in bench.use(CLOCK)
    bench.make_clock = lambda _: Parts(clock_chip=chip.read, set_clock_chip=chip.set)
    assert "That is no time" in bench.use(CLOCK, "five o'clock", PAPERS)
    assert not chip.set_s


def test_clock_chip_that_does_not_answer_is_told(bench: Bench) -> None:
    board(bench, clock_chip={"address": "0x68"})

    async def silent() -> datetime | None:
        raise CardLostError("the clock chip does not answer")

    bench.make_clock = lambda _: Parts(clock_chip=silent)
    assert "It did not work: the clock chip does not answer" in bench.use(CLOCK)


def test_guardian_that_is_not_there_costs_no_key(bench: Bench) -> None:
    assert "names no guardian" in bench.use(PAIR)
    board(bench, guardian={"port": str(bench.place.run / "tty")})
    assert "enable_uart=1" in bench.use(PAIR)
    board(bench, guardian={"port": "/dev/serial0", "key_file": "other.key"})
    assert "write guardian.key" in bench.use(PAIR)
    assert not bench.helper.done


def test_key_is_kept_before_the_guardian_gets_it(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    handed: list[bytes] = []

    async def by_hand(port: str, key: Callable[[], bytes], say: Callable[[str], object]) -> bool:
        assert port == "/dev/serial0"
        handed.append(key())
        assert bench.helper.done[-1][1] == handed[0].hex() + "\n"
        return len(handed) > 1

    monkeypatch.setattr(pairing, "pair_by_hand", by_hand)
    board(bench, guardian={"port": "/dev/serial0"})
    assert "did not answer" in bench.use(PAIR)
    (bench.place.etc / "guardian.key").write_text(bench.helper.done[0][1])
    assert "Paired" in bench.use(PAIR)
    assert handed[0] == handed[1] and len(bench.helper.done) == 1, "the key that is there is handed over again"
    bench.helper = Helper("there is no room")
    (bench.place.etc / "guardian.key").write_text("rubbish")
    assert "It did not work: there is no room" in bench.use(PAIR)
    assert len(handed) == 2, "a key that could not be kept is not handed over"


def test_menu_keeps_off_the_guardians_line(bench: Bench) -> None:
    line = bench.place.run / "ttyAMA0"
    line.touch()
    (bench.place.run / "serial0").symlink_to(line)
    assert not is_guardians_line(bench.place, str(line))
    board(bench, guardian={"port": str(bench.place.run / "serial0")})
    assert is_guardians_line(bench.place, str(line))
    assert not is_guardians_line(bench.place, "/dev/tty1")
