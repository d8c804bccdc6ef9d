"""A running controller whose authority is a real chain, and the people who look after it."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from controller.keys import CLOCK
from tests.controller.running import Hands, Person, RunningController
from tests.controller.signing.authorities import post
from tests.controller.signing.chain import Chain
from tests.controller.signing.stage import CAPABILITIES, browser, set_up


@pytest.fixture
def capabilities() -> tuple[str, ...]:
    """What is started."""
    return (*CAPABILITIES, "devices", "placements", "authority")


@dataclass
class Province:
    """Everybody and everything."""

    running: RunningController
    chain: Chain
    operator: Person
    technician: Person
    commune: Person
    stranger: Person
    hands: Hands


@pytest.fixture
async def province(controller: RunningController, hands: Hands) -> Province:
    """Kế Sách with loudspeakers and a station below the province's office."""
    await set_up(controller)
    chain = Chain(controller.app[CLOCK]())
    stranger = controller.stranger()
    assert {one["state"] for one in await post(stranger, *chain.whole())} == {"accepted"}
    people = [await browser(controller, name) for name in ("operator", "technician", "ke-sach")]
    operator, technician, commune = people
    return Province(controller, chain, operator, technician, commune, stranger, hands)
