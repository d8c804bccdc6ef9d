"""The page of pains and the tests that answer them say the same: neither promises what the other does not hold."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "pains.md"
NODE = re.compile(r"`(tests/[\w/]+\.py)::(test_\w+)`")
ROW = re.compile(r"^\| (\d+) \|", re.MULTILINE)
LISTED = re.compile(r"^The pains are numbered 1 to (\d+)", re.MULTILINE)
CORE = "tests/edge/core/test_pains.py"


@cache
def names_in(path: str) -> frozenset[str]:
    """Names of all tests of a file."""
    tree = ast.parse((ROOT / path).read_text())
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    return frozenset(one.name for one in ast.walk(tree) if isinstance(one, kinds) and one.name.startswith("test_"))


@cache
def named() -> frozenset[tuple[str, str]]:
    """Every test that the page names: its file and its name."""
    return frozenset(NODE.findall(PAGE.read_text()))


def scenarios() -> set[tuple[str, str]]:
    """Tests that are there because of a pain: by their name, or by their file."""
    paths = [str(path.relative_to(ROOT)) for path in (ROOT / "tests").rglob("*.py")]
    tests = [(path, name) for path in paths for name in names_in(path)]
    return {(path, name) for path, name in tests if path == CORE or name.startswith("test_pain_")}


def test_every_test_on_the_page_exists() -> None:
    gone = {f"{path}::{name}" for path, name in named() if not (ROOT / path).is_file() or name not in names_in(path)}
    assert gone == set()


def test_every_number_has_its_row() -> None:
    text = PAGE.read_text()
    last = LISTED.search(text)
    assert last is not None
    assert [int(number) for number in ROW.findall(text)] == list(range(1, int(last[1]) + 1))


def test_every_row_names_a_test_or_says_why_not() -> None:
    rows = [line for line in PAGE.read_text().splitlines() if line.startswith("| ")]
    assert len(rows) > 40
    rest = [line for line in rows if not NODE.search(line)]
    assert all(line.endswith((" tests |", " none: not built |")) for line in rest), rest


@pytest.mark.parametrize("path", [CORE, "tests/simulators/world/test_pains.py"])
def test_there_are_scenarios(path: str) -> None:
    assert any(one == path for one, _ in scenarios())


def test_every_scenario_stands_on_the_page() -> None:
    assert {f"{path}::{name}" for path, name in scenarios() - named()} == set()


def test_numbers_in_names_are_those_of_the_row() -> None:
    for line in PAGE.read_text().splitlines():
        row = ROW.match(line)
        for _, name in NODE.findall(line):
            number = re.match(r"test_pain_(\d+)_", name)
            assert number is None or row is None or number[1] == row[1], name
