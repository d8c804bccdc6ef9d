"""Everything here runs in virtual time."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from protocol.clock import WallMs
from simulators.loop_clock import LoopClock
from simulators.virtual_loop import VirtualLoop

EPOCH = WallMs(1_700_000_000_000)


def pytest_asyncio_loop_factories() -> dict[str, Callable[[], VirtualLoop]]:
    """Which loop pytest-asyncio makes for these tests."""
    return {"virtual": VirtualLoop}


@pytest.fixture
async def clock() -> LoopClock:
    """A clock whose wall time begins at EPOCH."""
    return LoopClock(wall=EPOCH)
