"""The documents say what the code does: links lead somewhere, and what people meet is described."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from protocol.report import EndReason, FaultCode, Standing

ROOT = Path(__file__).parent.parent
PAGES = [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", page.read_text()):
        if "://" not in target:
            assert (page.parent / target).exists(), target


def test_every_fault_is_in_the_operations_guide() -> None:
    guide = (ROOT / "docs/operations.md").read_text()
    for word in (*FaultCode, *Standing, *EndReason):
        assert f"`{word}`" in guide, word


def test_every_script_is_described() -> None:
    text = (ROOT / "README.md").read_text() + (ROOT / "CONTRIBUTING.md").read_text()
    for script in (ROOT / "script").iterdir():
        if script.is_file():
            assert f"script/{script.name}" in text or f"`{script.name}`" in text


def test_every_folder_is_on_the_map() -> None:
    text = (ROOT / "README.md").read_text()
    for folder in (
        "protocol",
        "edge",
        "hardware",
        "signer",
        "controller",
        "provisioning",
        "simulators",
        "tests",
        "docs",
    ):
        assert f"`{folder}/`" in text


def test_every_decision_is_listed() -> None:
    text = (ROOT / "docs/architecture.md").read_text()
    for record in (ROOT / "docs/adr").glob("*.md"):
        assert record.name in text
