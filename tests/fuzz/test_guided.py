"""The same targets under atheris, which follows the branches that an input takes; a fixed seed, a bounded time."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from tests.component import need
from tests.fuzz.registry import GROUPS

pytestmark = pytest.mark.slow
ROOT: Final = Path(__file__).parent.parent.parent
SECONDS: Final = 2
"""For each target at most; most come to the end of their runs before."""


def guided(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tests.fuzz.guided", *arguments]
    environment = os.environ | {"PYTHONWARNINGS": "ignore"}
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, env=environment)


@pytest.mark.parametrize("group", GROUPS)
def test_no_input_that_reaches_new_code_fails(group: str) -> None:
    need(importlib.util.find_spec("atheris") is not None, "the coverage-guided fuzzer atheris")
    done = guided("--seconds", str(SECONDS), "--seed", "7", *GROUPS[group])
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    assert done.stdout.count("fine") == len(GROUPS[group])
