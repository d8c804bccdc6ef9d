"""Plans: drawn from a seed, kept in a file, made shorter."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from simulators import replay, soak
from simulators.world import world as worlds
from simulators.world.chance import Chance
from simulators.world.checkers.checker import Checker, Tell
from simulators.world.clock import DAWN
from simulators.world.plan import Happening, Plan, Shape, read_plan, write_plan
from simulators.world.shrink import Shrinker
from simulators.world.story import Story
from simulators.world.timeline_svg import draw
from simulators.world.trace import Record
from simulators.world.world import Run, World, device_name, plan_of

ROOT = Path(__file__).parents[3]


def test_streams_know_nothing_of_each_other() -> None:
    first = Chance(7).stream("line/d1")
    other = Chance(7)
    other.stream("something new").random()
    assert other.stream("line/d1").random() == first.random()
    assert Chance(8).stream("line/d1").random() != Chance(7).stream("line/d1").random()


def test_plan_goes_into_a_file_and_back() -> None:
    plan = plan_of(Shape(3, 10, 3.0))
    assert plan.happenings
    assert read_plan(write_plan(plan)) == plan


@pytest.mark.parametrize("data", [b"", b"[]", b"{}", b'{"shape": 1, "happenings": []}', b"[" * 5000, b"\xff"])
def test_rubbish_is_no_plan(data: bytes) -> None:
    with pytest.raises(ValueError):
        read_plan(data)


def test_flipped_bytes_are_no_plan_or_another_one() -> None:
    data, dice = write_plan(plan_of(Shape(3, 4, 1.0))), random.Random(5)
    for _ in range(200):
        spoilt = bytearray(data)
        spoilt[dice.randrange(len(data))] = dice.randrange(256)
        try:
            assert isinstance(read_plan(bytes(spoilt)), Plan)
        except ValueError:
            pass


def test_end_is_calm() -> None:
    shape = Shape(11, 20, 2.0)
    faults = [one for one in plan_of(shape).happenings if worlds.KINDS[one.what].fault]
    assert faults
    assert all(one.at_ms < shape.calm_ms for one in faults)


@pytest.mark.slow
def test_one_seed_is_one_run_whatever_the_hash_seed() -> None:
    sized = ("--seed", "5", "--devices", "4", "--days", "0.5", "--json")
    found = []
    for hash_seed in ("1", "4711"):
        made = subprocess.run(
            [sys.executable, "-m", "simulators", "soak", *sized],
            cwd=ROOT,
            env={**os.environ, "PYTHONHASHSEED": hash_seed},
            capture_output=True,
            check=False,
        )
        found.append({**json.loads(made.stdout.splitlines()[-1]), "wall_s": 0})
    assert found[0] == found[1]
    assert found[0]["violations"] == 0


class _NeedsTwo:
    """A made-up rule: no second power cut of one device may come after one of another."""

    def __init__(self, _: World, tell: Tell) -> None:
        self._tell = tell
        self._cut: list[str] = []

    def take(self, record: Record) -> None:
        if record.what == "power.cut":
            self._cut.append(record.who)
            if self._cut.count(record.who) == 2:
                self._tell(record.who, "made_up", "cut twice")

    def end(self) -> None:
        pass


@pytest.fixture
def made_up(monkeypatch: pytest.MonkeyPatch) -> None:
    rules: tuple[Callable[[World, Tell], Checker], ...] = (_NeedsTwo,)
    monkeypatch.setattr(worlds, "CHECKERS", rules)


def cuts(count: int) -> Plan:
    """Cuts of one second in a village of four; only the last device is cut twice."""
    dice = random.Random(9)
    names = [device_name(number) for number in range(4)]
    happenings = [Happening(600_000 * (number + 1), name, "power.cut", 1000) for number, name in enumerate(names)]
    happenings += [Happening(dice.randrange(4_000_000, 8_000_000), names[3], "power.cut", 500) for _ in range(count)]
    return Plan(Shape(1, 4, 0.2), tuple(sorted(happenings, key=lambda one: one.at_ms)))


@pytest.mark.slow
@pytest.mark.usefixtures("made_up")
def test_long_failure_becomes_a_short_story() -> None:
    short = Shrinker(cuts(5), "made_up")()
    assert [one.what for one in short.happenings] == ["power.cut", "power.cut"]
    assert short.shape.only == (device_name(3),)
    assert short.shape.end_ms <= short.happenings[-1].at_ms + 60_000


@pytest.mark.slow
@pytest.mark.usefixtures("made_up")
def test_plan_that_breaks_nothing_cannot_be_shrunk() -> None:
    with pytest.raises(ValueError, match="does not break"):
        Shrinker(cuts(0), "made_up")()


@pytest.mark.slow
@pytest.mark.usefixtures("made_up")
def test_story_is_told_in_words_and_drawn(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    story = Story()
    Run(cuts(1), watch=lambda world: world.trace.listen(story.take))()
    text = "\n".join(story.lines())
    assert "power.cut 1000" in text and "*** made_up: cut twice" in text
    picture = draw(story.records, "a <test>")
    assert picture.startswith("<svg") and "a &lt;test&gt;" in picture and "no power" in picture
    path = tmp_path / "plan.json"
    path.write_bytes(write_plan(cuts(1)))
    assert replay.main([str(path), "--svg", str(tmp_path / "story.svg")]) == 1
    assert (tmp_path / "story.svg").read_text().startswith("<svg")
    assert "1 violations" in capsys.readouterr().out


@pytest.mark.slow
@pytest.mark.usefixtures("made_up")
def test_soak_keeps_the_plan_that_broke_a_rule(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(soak, "plan_of", lambda shape: Plan(shape, cuts(1).happenings))
    out = str(tmp_path / "out")
    assert soak.main(["--devices", "4", "--days", "0.2", "--out", out, "--json"]) == 1
    figures = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert figures["violations"] == 1 and figures["device_days"] == 0.8
    assert read_plan((tmp_path / "out" / "seed-1.json").read_bytes()).happenings == cuts(1).happenings


@pytest.mark.parametrize("name", ["nothing.json", "rubbish.json", "journal"])
def test_file_that_is_neither_is_told(tmp_path: Path, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    if name != "nothing.json":
        (tmp_path / name).write_bytes(b"\x00\xff")
    assert replay.main([str(tmp_path / name)]) == 2
    assert name in capsys.readouterr().err


def test_dawn_is_midnight_in_viet_nam() -> None:
    assert (DAWN + 7 * 3_600_000) % 86_400_000 == 0
