"""Live events reach those who see the place, and nobody else; a slow page is told that it missed some."""

from __future__ import annotations

import json

import aiohttp
import pytest

from controller.keys import EVENTS
from controller.people.domain import HeldRole, Role, Viewer
from controller.web.events import QUEUE_MAX, EventHub
from protocol.units import UnitPath
from tests.controller.running import KE_SACH, PROVINCE, TRAN_DE, Person, RunningController


@pytest.fixture
def capabilities() -> tuple[str, ...]:
    return ("web", "people")


def viewer(scope: UnitPath) -> Viewer:
    return Viewer(1, "a", "A", "vi", (HeldRole(Role.AUTHOR, scope),))


async def open_stream(person: Person) -> aiohttp.ClientResponse:
    answer = await person.session.get("/events")
    assert answer.content_type == "text/event-stream"
    while (await answer.content.readline()).strip() != b": hello":
        pass
    return answer


async def next_event(answer: aiohttp.ClientResponse) -> dict[str, object]:
    while not (line := await answer.content.readline()).startswith(b"data: "):
        assert line, "the stream ended"
    found: dict[str, object] = json.loads(line[6:])
    return found


async def test_commune_hears_of_itself_and_of_the_province(controller: RunningController) -> None:
    stream = await open_stream(await controller.person("ke-sach"))
    hub = controller.app[EVENTS]
    hub.publish("device", UnitPath(f"{TRAN_DE}/c01"), state="quiet")
    hub.publish("device", UnitPath(f"{KE_SACH}/c01"), state="sounding")
    hub.publish("alert", PROVINCE, id="a1")
    assert await next_event(stream) == {"type": "device", "place": f"{KE_SACH}/c01", "state": "sounding"}
    assert (await next_event(stream))["id"] == "a1"
    stream.close()


async def test_streams_end_when_the_service_stops(controller: RunningController) -> None:
    stream = await open_stream(await controller.person("author"))
    controller.app[EVENTS].close()
    assert await stream.content.read() is not None
    stream.close()


async def test_slow_page_is_told_that_it_missed_some() -> None:
    hub = EventHub()
    async with hub.subscribe(viewer(PROVINCE)) as slow:
        for number in range(QUEUE_MAX + 1):
            hub.publish("device", KE_SACH, number=number)
        assert json.loads(await slow.next(within_s=1) or "") == {"type": "missed"}
        assert await slow.next(within_s=0.001) == ""


async def test_page_that_left_is_forgotten() -> None:
    hub = EventHub()
    async with hub.subscribe(viewer(PROVINCE)):
        pass
    hub.publish("device", KE_SACH)
    assert not hub._subscriptions
