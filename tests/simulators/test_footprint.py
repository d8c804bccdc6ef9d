"""How the figure `footprint` counts."""

from __future__ import annotations

import asyncio
import subprocess
import sys

import pytest

from simulators.bench.process_tree import ProcessTree

_PARENT = """
import subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "held = bytearray(64_000_000); import time; time.sleep(60)"])
print("ready", flush=True)
try:
    time.sleep(60)
finally:
    child.kill()
"""


@pytest.mark.slow
async def test_children_are_counted_with_their_parent() -> None:
    with subprocess.Popen([sys.executable, "-c", _PARENT], stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None and parent.stdout.readline() == b"ready\n"
        tree = ProcessTree(parent.pid)
        try:
            await asyncio.sleep(0.5)
            figures = await tree.watch(1.0)
        finally:
            for one in reversed(tree.alive()):
                one.kill()
    assert figures["processes"] == 2
    assert figures["rss_mb"] > 64 and figures["pss_mb"] > 60
    assert 0 <= figures["cpu_percent"] < 200
    with pytest.raises(RuntimeError, match="ended"):
        await tree.watch(1.0)
