"""A desk with a booted agent, and an office that signs for it."""

from __future__ import annotations

import pytest

from protocol.clock import local_second
from simulators.desk import Desk
from tests.edge.core.office import IDENTITY, Office


@pytest.fixture
def desk() -> Desk:
    """A booted agent with a believed clock, at 10:00 local time."""
    made = Desk(IDENTITY)
    made.offset += (10 * 3600 - local_second(made.wall)) * 1000 - made.wall % 1000
    made.boot()
    return made


@pytest.fixture
def office(desk: Desk) -> Office:
    """An office whose operators' grants the desk holds."""
    made = Office(desk)
    made.give_grants()
    return made
