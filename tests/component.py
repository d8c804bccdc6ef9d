"""What tests need from the system: missing, it is a failure where CI runs and a skip with a reason elsewhere."""

from __future__ import annotations

import os

import pytest


def need(present: bool, what: str) -> None:
    """Goes on when the component is there."""
    if present:
        return
    words = f"{what} is not installed; script/bootstrap test brings it"
    if os.environ.get("CI") == "true":
        pytest.fail(words)
    pytest.skip(words)
