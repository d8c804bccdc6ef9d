"""The card of a device of the world: what the judges forgive when it does not answer."""

from __future__ import annotations

import pytest

from protocol.report import FaultCode
from simulators.world.plan import Happening
from tests.simulators.world.complaints import faults
from tests.simulators.world.play import DEVICE, MINUTE_MS, NIGHT, change, play


@pytest.mark.slow
def test_start_on_a_card_that_does_not_answer_is_told_and_made_up_for() -> None:
    """The controller brings again what could not be read; nobody calls the agent forgetful for that."""
    story = play(
        Happening(NIGHT, DEVICE, "storage.broken", 10 * MINUTE_MS),
        Happening(NIGHT + MINUTE_MS, DEVICE, "power.cut", 1500),
        change(NIGHT + 15 * MINUTE_MS),
        hours=0.75,
    )
    assert story.violations == ()
    assert faults(story, DEVICE, FaultCode.STATE_DAMAGED)
    assert len(story.received("schedule", DEVICE)) >= 3
