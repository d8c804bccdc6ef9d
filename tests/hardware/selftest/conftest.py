"""Sound is tried in virtual time; what talks to threads and sockets says `real_time = True` in its class."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from hardware.i18n import CATALOGUE
from simulators.virtual_loop import VirtualLoop


def pytest_asyncio_loop_factories(item: pytest.Item) -> dict[str, Callable[[], asyncio.AbstractEventLoop]]:
    """Which loop pytest-asyncio makes for these tests."""
    if getattr(getattr(item, "cls", None), "real_time", False):
        return {"real": asyncio.new_event_loop}
    return {"virtual": VirtualLoop}


@pytest.fixture(autouse=True)
def english() -> None:
    CATALOGUE.use("en")
