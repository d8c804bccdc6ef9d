"""Whatever a started controller writes is for its own user alone."""

from __future__ import annotations

import asyncio
import os
import stat
import sys
from pathlib import Path

import pytest

from simulators.child import free_ports

pytestmark = pytest.mark.slow


async def started_and_stopped(data: Path) -> None:
    port, mqtt, devices = free_ports(3)
    numbers = ("--port", str(port), "--mqtt-port", str(mqtt), "--device-port", str(devices))
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "controller", "--data", str(data), *numbers, stderr=asyncio.subprocess.PIPE
    )
    assert child.stderr is not None
    try:
        async with asyncio.timeout(30):
            while b"controller is at" not in (line := await child.stderr.readline()):
                assert line, "it has ended"
        child.terminate()
        async with asyncio.timeout(15):
            await child.communicate()
    finally:
        if child.returncode is None:
            child.kill()
            await child.wait()
    assert child.returncode == 0


def open_to_others(path: Path) -> bool:
    return bool(stat.S_IMODE(path.stat().st_mode) & 0o077)


async def test_nobody_else_reads_the_data(tmp_path: Path) -> None:
    """Also in a directory that was there before and was open to everybody."""
    data = tmp_path / "data"
    data.mkdir()
    data.chmod(0o755)
    former = os.umask(0o022)
    try:
        await started_and_stopped(data)
    finally:
        os.umask(former)
    made = sorted(data.rglob("*"))
    assert any(path.name == "controller.db" for path in made)
    assert [path.name for path in (data, *made) if open_to_others(path)] == []
