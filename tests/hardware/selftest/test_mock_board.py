"""The command as CI runs it: every real driver over mock pins, modelled chips and ALSA's plug-ins."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from ctypes.util import find_library
from pathlib import Path
from typing import Any

import pytest

from tests.component import need


def run(tmp_path: Path, *arguments: str) -> tuple[int, dict[str, dict[str, Any]], str]:
    """Exit code, the trials by name, and what was printed."""
    need(find_library("asound") is not None, "libasound")
    report = tmp_path / "report.json"
    command = [sys.executable, "-m", "hardware.selftest", "--parts", "simulators.mock_selftest:make_parts"]
    command += ["--unattended", "--lang", "en", "--data", str(tmp_path), "--json", str(report), *arguments]
    environment = os.environ | {"PYTHONWARNINGS": "ignore::DeprecationWarning"}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment, timeout=110)
    assert not done.stderr, done.stderr
    told = json.loads(report.read_text())
    return done.returncode, {one["name"]: one for one in told["trials"]}, done.stdout


@pytest.mark.slow
def test_mock_board_is_well(tmp_path: Path) -> None:
    code, trials, printed = run(tmp_path, "--yes", "--yes-at-night")
    assert code == 0, printed
    for name in ("disk", "tuner", "lamps", "buttons", "microphone", "line", "relay", "sound"):
        assert trials[name]["result"] == "ok", trials[name]
    assert trials["tuner"]["rows"][1] == ["99.9", "55", "A201", "VOV1"]
    assert trials["line"]["figures"]["line_ohm"] == pytest.approx(300, rel=0.05)
    assert -3600 < trials["sound"]["figures"]["metered_cdb"] < -3000
    assert trials["guardian"]["result"] == trials["link"]["result"] == "absent"
    assert abs(trials["clock"]["figures"]["chip_apart_s"]) < 5


@pytest.mark.slow
def test_mock_board_is_not_heard_unasked(tmp_path: Path) -> None:
    code, trials, printed = run(tmp_path, "--only", "relay,sound")
    assert code == 0, printed
    assert trials["sound"]["result"] == trials["relay"]["result"] == "warn"
    assert not trials["sound"]["figures"]
