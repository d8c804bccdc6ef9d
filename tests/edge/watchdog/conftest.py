"""Minutes of watching in virtual time."""

from __future__ import annotations

from collections.abc import Callable

from simulators.virtual_loop import VirtualLoop


def pytest_asyncio_loop_factories() -> dict[str, Callable[[], VirtualLoop]]:
    """Waiting costs nothing here."""
    return {"virtual": VirtualLoop}
