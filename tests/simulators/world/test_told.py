"""A break is told as a story, and the picture in the documents is the one that its command draws."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from edge.core.output import Silence
from protocol.clock import WallMs
from simulators.world.checkers.checker import Violation
from simulators.world.clock import DAWN
from simulators.world.horn import Heard
from simulators.world.plan import Happening
from simulators.world.timeline_svg import draw
from simulators.world.trace import Record

ROOT = Path(__file__).parents[3]
COMMAND = re.compile(r"^python (-m simulators\.world\.mutants\.told .*)$", re.MULTILINE)


@pytest.mark.slow
def test_picture_in_the_documents_is_what_its_command_draws(tmp_path: Path) -> None:
    (command,) = COMMAND.findall((ROOT / "docs/simulation.md").read_text())
    words = shlex.split(command)
    drawn = ROOT / words[words.index("--svg") + 1]
    words[words.index("--svg") + 1] = str(tmp_path / "story.svg")
    done = subprocess.run([sys.executable, *words], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 1, done.stderr
    assert "*** once" in done.stdout
    assert (tmp_path / "story.svg").read_text() == drawn.read_text(), "run the command of docs/simulation.md again"


@pytest.mark.slow
def test_story_is_made_from_a_seed(tmp_path: Path) -> None:
    """So small a world breaks no rule, which is told."""
    words = [
        "quiet hours are ignored",
        str(tmp_path / "plan.json"),
        "--seed",
        "1",
        "--devices",
        "1",
        "--days",
        "0.01",
    ]
    done = subprocess.run(
        [sys.executable, "-m", "simulators.world.mutants.told", *words],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert done.stderr.strip() == "no rule is broken"


def record(at_ms: int, what: str, thing: object = None, who: str = "d1") -> Record:
    return Record(WallMs(DAWN + at_ms), who, what, "", thing)


def test_marks_that_would_touch_stand_below_one_another() -> None:
    records = [record(1000 + one, "power.cut", Happening(0, "d1", "power.cut")) for one in range(3)]
    picture = draw([record(0, "power.on"), *records, record(600_000, "power.on")], "a title")
    found = [
        (int(x), int(y))
        for x, y in re.findall(r'<text x="(\d+)" y="(\d+)" text-anchor="middle" font-weight', picture)
    ]
    assert len({x for x, _ in found}) == 1
    assert len({y for _, y in found}) == 3


def test_long_story_tells_only_what_has_a_mark() -> None:
    first = record(0, "power.weak", Happening(0, "d1", "power.weak"))
    sounds = [record(one * 1000, "sound.began", Heard(Silence())) for one in range(60)]
    broken = record(61_000, "violation", Violation(WallMs(DAWN), "d1", "gap", "nothing <sounds>"))
    picture = draw([first, *sounds, broken], "a title")
    assert picture.count("begins") == 0
    assert "gap: nothing &lt;sounds&gt;" in picture


def test_years_have_ticks_too() -> None:
    ticks = draw([record(0, "power.on"), record(40 * 365 * 86_400_000, "power.off")], "a title").count("<line")
    assert 1 < ticks < 20
