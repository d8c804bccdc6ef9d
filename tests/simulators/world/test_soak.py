"""The soak of CI: twenty provinces of twenty devices for two days, with every fault on."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]


@pytest.mark.slow
@pytest.mark.timeout(840)
def test_no_rule_is_broken_in_twenty_provinces(tmp_path: Path) -> None:
    sized = ("--seeds", "20", "--devices", "20", "--days", "2", "--heartbeat-s", "1800", "--out", str(tmp_path))
    done = subprocess.run(
        [sys.executable, "-m", "simulators", "soak", *sized],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=lambda: os.nice(19),  # it takes what the tests beside it leave
    )
    assert done.returncode == 0, done.stderr[-4000:]
    figures = json.loads(done.stdout.splitlines()[-1])
    assert figures["device_days"] == 800
    assert figures["violations"] == 0
    assert figures["faults_injected"] > 1000
