"""The list of attacks in the threat model is the list of these tests, neither more nor less."""

from __future__ import annotations

import ast
import re
from pathlib import Path

HERE = Path(__file__).parent
PAGE = HERE.parent.parent / "docs" / "threat_model.md"
NAMED = re.compile(r"`(test_\w+\.py::test_\w+)`")


def attacks() -> dict[str, str]:
    """Every test of this directory but these, with its one sentence."""
    found = {}
    for path in sorted(HERE.glob("test_*.py")):
        for node in ast.parse(path.read_text()).body:
            is_test = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_")
            if is_test and path.name != Path(__file__).name:
                assert isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef), "asked for above"
                found[f"{path.name}::{node.name}"] = ast.get_docstring(node) or ""
    return found


def test_every_attack_is_in_the_threat_model() -> None:
    """no attack at all — who adds a test says on the page what it shows."""
    assert attacks().keys() - set(NAMED.findall(PAGE.read_text())) == set()


def test_every_attack_of_the_threat_model_is_played() -> None:
    """no attack at all — nothing stands on the page that no test shows."""
    assert set(NAMED.findall(PAGE.read_text())) - attacks().keys() == set()


def test_every_attack_is_one_sentence() -> None:
    """no attack at all — a test's docstring is "attack — why it fails"."""
    for name, sentence in attacks().items():
        attack, dash, why = sentence.partition(" — ")
        assert attack and dash and why and "\n" not in sentence, name
