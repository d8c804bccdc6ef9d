"""The guardian is tested in virtual time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest

from simulators.guardian_board import is_there
from simulators.virtual_loop import VirtualLoop
from tests.component import need
from tests.hardware.guardian.scene import Scene, square


def pytest_asyncio_loop_factories(item: pytest.Item) -> dict[str, Callable[[], asyncio.AbstractEventLoop]]:
    """Virtual time for all of them."""
    return {"virtual": VirtualLoop}


@pytest.fixture
async def scene() -> AsyncIterator[Scene]:
    """The square, whose guardian has just got power."""
    need(is_there(), "MicroPython for Node")
    async with square() as scene:
        yield scene
