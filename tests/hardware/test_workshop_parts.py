"""Setting the clock chip and pairing the guardian from the workshop's menu."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from hardware.errors import CardLostError
from hardware.selftest.parts import Parts
from hardware.workshop import pairing
from hardware.workshop.clock import typed_time
from hardware.workshop.pairing import is_guardians_line
from tests.hardware.workshop_bench import CLOCK, PAIR, PAPERS, Bench, Helper, board, opened


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with opened(tmp_path) as made:
        yield made


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
