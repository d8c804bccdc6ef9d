"""A disk so small that it is really full: a tmpfs, where we may mount one."""

from __future__ import annotations

import contextlib
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest


@contextlib.contextmanager
def small_disk(at: Path, *, size_bytes: int) -> Iterator[Path]:
    """A mounted disk of that size; the test is skipped where mounting is not allowed."""
    at.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={size_bytes}", "tmpfs", str(at)]
    if subprocess.run(command, capture_output=True, check=False).returncode != 0:
        pytest.skip("a small disk can only be mounted by root")
    try:
        yield at
    finally:
        subprocess.run(["umount", "-l", str(at)], check=True)
