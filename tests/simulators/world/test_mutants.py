"""The deliberate breaks fit the code of today, and those that show at once are noticed."""

from __future__ import annotations

import ast
import subprocess
import sys

import pytest

from simulators.world.mutants.catalogue import FAST, MUTANTS
from simulators.world.mutants.child import WHOLE
from simulators.world.mutants.hunt import CRASHES, hunt
from simulators.world.mutants.mutant import ROOT, BreakError, Edit, broken_source

DEVICES = 6


@pytest.mark.parametrize("name", MUTANTS)
def test_break_fits_the_source_once(name: str) -> None:
    for edit in MUTANTS[name].edits:
        source = (ROOT / edit.file).read_text(encoding="utf-8")
        broken = ast.parse(broken_source(edit, source))
        assert ast.dump(broken) != ast.dump(ast.parse(source))


def test_there_are_more_breaks_than_promised() -> None:
    assert len(MUTANTS) >= 100
    assert set(FAST) <= set(MUTANTS)
    assert len({edit.file for one in MUTANTS.values() for edit in one.edits}) >= 20


def test_break_that_does_not_fit_is_an_error() -> None:
    with pytest.raises(BreakError, match="0 times"):
        broken_source(Edit("edge/backoff.py", "not there", ""), "x = 1\n")
    with pytest.raises(BreakError, match="2 times"):
        broken_source(Edit("edge/backoff.py", "x", "y"), "x = x\n")


@pytest.mark.slow
def test_module_that_is_imported_cannot_be_broken_any_more() -> None:
    program = (
        "import edge.backoff\n"
        "from simulators.world.mutants.catalogue import MUTANTS\n"
        "from simulators.world.mutants.mutant import put_in\n"
        "put_in(MUTANTS['waiting grows for ever'])\n"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False)
    assert "BreakError: imported before it could be broken: edge.backoff" in done.stderr


@pytest.mark.slow
def test_breaks_that_show_at_once_are_noticed() -> None:
    verdicts = tuple(hunt(FAST, seeds=(), devices=DEVICES, at_once=2))
    assert [one.name for one in verdicts if one.rule in (None, *CRASHES)] == []


@pytest.mark.slow
def test_nobody_notices_anything_about_the_agent_as_it_is() -> None:
    (verdict,) = hunt((WHOLE,), seeds=(), devices=DEVICES)
    assert verdict.rule is None, verdict
