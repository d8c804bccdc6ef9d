"""For all tests: only those that the coverage gate is about are looked at line by line, which takes a third longer.

The gate wants every branch of `protocol` and `edge.core`. Whoever draws pages or moves relays does not help there.
"""

from __future__ import annotations

from pathlib import Path

import pytest

HERE = Path(__file__).parent
COVERED = tuple(HERE / name for name in ("protocol", "edge"))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """See pytest."""
    for item in items:
        if not any(item.path.is_relative_to(one) for one in COVERED):
            item.add_marker(pytest.mark.no_cover)
