"""A running controller with broker, and everybody who is needed to sign."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from tests.controller.running import Hands, Person, RunningController
from tests.controller.signing.authorities import Ceremony
from tests.controller.signing.stage import CAPABILITIES, browser, set_up


@pytest.fixture
def capabilities() -> tuple[str, ...]:
    """What is started."""
    return CAPABILITIES


@pytest.fixture
def hands() -> Hands:
    """A clock that says ten in the morning, so that nothing falls into quiet hours by chance."""
    turned = Hands()
    day_ms, local_ms = 86_400_000, 7 * 3_600_000
    turned.passed_ms = (10 * 3_600_000 - (turned() + local_ms)) % day_ms
    return turned


@dataclass
class Stage:
    """Everybody and everything."""

    running: RunningController
    ceremony: Ceremony
    author: Person
    approver: Person
    operator: Person
    stranger: Person


@pytest.fixture
async def stage(controller: RunningController) -> Stage:
    """Kế Sách with loudspeakers, sound, grants and people who are signed in."""
    ceremony = await set_up(controller)
    author, approver = await browser(controller, "ke-sach"), await browser(controller, "ke-sach-2")
    return Stage(controller, ceremony, author, approver, author, controller.stranger())
