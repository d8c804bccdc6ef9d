"""The guardian is tested in virtual time; what goes through a real terminal says `real_time = True` in its class."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from simulators.virtual_loop import VirtualLoop


def pytest_asyncio_loop_factories(item: pytest.Item) -> dict[str, Callable[[], asyncio.AbstractEventLoop]]:
    """Which loop pytest-asyncio makes for these tests."""
    suite = getattr(item, "cls", None)
    if getattr(suite, "real_time", False):
        return {"real": asyncio.new_event_loop}
    return {"virtual": VirtualLoop}
