"""The figure `mic` can be measured, and a pressed button is heard soon."""

from __future__ import annotations

import asyncio

import pytest

from simulators.bench.mic import measure


@pytest.mark.slow
def test_pressed_button_is_heard_soon() -> None:
    """On a loop of real time: ALSA knows no other."""
    figures = asyncio.run(measure(cold_presses=0, warm_presses=2))
    assert 0 < figures["warm_p50_ms"] < 1000
