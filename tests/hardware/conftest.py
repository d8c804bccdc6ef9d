"""A module that says `VIRTUAL_TIME = True` has its tests in virtual time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from simulators.virtual_loop import VirtualLoop


def pytest_asyncio_loop_factories(item: pytest.Item) -> dict[str, Callable[[], asyncio.AbstractEventLoop]]:
    """Which loop pytest-asyncio makes for these tests."""
    if getattr(getattr(item, "module", None), "VIRTUAL_TIME", False):
        return {"virtual": VirtualLoop}
    return {"real": asyncio.new_event_loop}
