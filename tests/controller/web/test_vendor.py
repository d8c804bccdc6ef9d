"""What pages load from npm: pinned by a lock file that names no registry, fetched once, found by the pages."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from controller.web import vendor


def test_lock_file_names_no_registry() -> None:
    lock = json.loads((vendor.HERE / "package-lock.json").read_text())
    packages = [one for path, one in lock["packages"].items() if path]
    assert packages
    assert all("integrity" in one and "resolved" not in one for one in packages)


def test_second_run_needs_no_npm(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(vendor, "TARGET", tmp_path)
    monkeypatch.setattr(vendor, "STAMP", tmp_path / "STAMP")
    for name in vendor.FILES.values():
        (tmp_path / name).write_text("there")
    assert not vendor.is_there()
    (tmp_path / "STAMP").write_text(vendor.wanted())
    assert not vendor.fetch()


def test_pages_load_only_what_is_fetched() -> None:
    named = {
        found
        for path in vendor.HERE.parent.glob("*/templates/**/*.html")
        for found in re.findall(r"/static/vendor/([\w.-]+)", path.read_text())
    }
    assert named <= set(vendor.FILES.values())
