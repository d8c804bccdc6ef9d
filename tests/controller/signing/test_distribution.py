"""What is in force reaches devices: over the broker, beside it, after a crash, and after the broker was away."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from controller.keys import CLOCK, ENGINE, ENVELOPE_HOOKS
from controller.ports import BrokerAwayError, StoredEnvelope
from controller.signing.distribution import HEAD_EVERY_MS, Distribution
from controller.signing.freshness import open_key
from controller.signing.keys import AUTHORITY, DISTRIBUTION, FRESHNESS
from controller.signing.outgoing import units_with_documents
from controller.store.engine import reading, writing
from controller.store.schema import documents
from protocol.clock import DAY_MS
from protocol.document import Kind, read
from protocol.envelope import unpack
from protocol.freshness import Attestation, Head
from protocol.parcel import unpack_all
from protocol.topics import ALERT, DOC, unit_topic
from protocol.units import UnitPath
from tests.controller.running import KE_SACH, PROVINCE, TRAN_DE, Hands, run_controller
from tests.controller.signing.authorities import post, request_signature, signed
from tests.controller.signing.conftest import Stage
from tests.controller.signing.stage import CAPABILITIES, approved, draft, token
from tests.controller.signing.test_thin_line import receive

DEVICE, PLACE = "vn-92-31528-c01", UnitPath(f"{KE_SACH}/c01")
SECOND = UnitPath(f"{KE_SACH}/c02")


class MemoryBroker:
    """Keeps what is retained and delivers to nobody; can be away, and forgets everything when it was restarted."""

    def __init__(self) -> None:
        self.connected = True
        self.retained: dict[str, bytes] = {}
        self.sent: list[tuple[str, bytes]] = []
        self._listeners: list[Callable[[], Awaitable[None]]] = []

    async def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> None:
        await asyncio.sleep(0)
        if not self.connected:
            raise BrokerAwayError
        self.sent.append((topic, payload))
        if retain:
            self.retained[topic] = payload

    def when_connected(self, told: Callable[[], Awaitable[None]]) -> None:
        self._listeners.append(told)

    async def come_back(self) -> None:
        """As after a restart of the broker."""
        self.connected = True
        self.retained.clear()
        for told in self._listeners:
            await told()


def distribution(stage: Stage, broker: MemoryBroker) -> Distribution:
    """A second publisher over the same database, as after a restart of the controller."""
    app = stage.running.app
    made = Distribution(app[ENGINE], app[CLOCK], broker, key=app[FRESHNESS], authority=app[AUTHORITY])
    broker.when_connected(made.broker_returned)
    return made


@contextlib.asynccontextmanager
async def waiting_again(stage: Stage) -> AsyncIterator[None]:
    """The database as a crash between storing and publishing leaves it, while the running controller holds still."""
    running = stage.running.app[DISTRIBUTION]
    async with running._alerts, running._parcels:
        async with writing(stage.running.app[ENGINE]) as connection:
            await connection.execute(update(documents).values(published_ms=None))
        yield


async def unpublished(stage: Stage) -> int:
    async with reading(stage.running.app[ENGINE]) as connection:
        query = select(documents.c.digest).where(documents.c.published_ms.is_(None))
        return len((await connection.execute(query)).all())


async def sign_schedule(stage: Stage) -> str:
    await approved(stage.author, stage.approver, draft())
    request = await request_signature(stage.operator, KE_SACH)
    [result] = await post(stage.stranger, signed(request, stage.ceremony.ke_sach))
    assert result["state"] == "accepted", result
    return str(result["digest"])


async def test_crash_before_the_publish_is_made_up_for(stage: Stage) -> None:
    digest = await sign_schedule(stage)
    broker = MemoryBroker()
    async with waiting_again(stage):
        await distribution(stage, broker).publish_waiting()
        assert await unpublished(stage) == 0
    parcel = unpack_all(broker.retained[unit_topic(KE_SACH, DOC)])
    assert digest in [one.digest for one in parcel]


async def test_restart_publishes_every_unit(stage: Stage) -> None:
    broker = MemoryBroker()
    await distribution(stage, broker).publish_waiting()
    assert set(broker.retained) == {unit_topic(unit, DOC) for unit in (PROVINCE, KE_SACH, TRAN_DE)}


async def test_broker_away_keeps_things_waiting(stage: Stage) -> None:
    broker = MemoryBroker()
    publisher = distribution(stage, broker)
    await publisher.publish_waiting()
    broker.connected = False
    async with waiting_again(stage):
        await publisher.publish_waiting()
        waiting = await unpublished(stage)
        assert waiting == 4
        cursor = publisher.shelf.answer(KE_SACH).cursor
        await publisher.publish_waiting()
        assert publisher.shelf.answer(KE_SACH).cursor == cursor
        await broker.come_back()
        await publisher.publish_waiting()
        assert await unpublished(stage) == 0
    assert unit_topic(TRAN_DE, DOC) in broker.retained


async def test_broker_that_forgot_is_told_everything(stage: Stage) -> None:
    broker = MemoryBroker()
    publisher = distribution(stage, broker)
    await publisher.publish_waiting()
    await broker.come_back()
    assert broker.retained == {}
    await publisher.publish_waiting()
    assert len(broker.retained) == 3


async def test_heads_are_renewed_every_hour(stage: Stage, hands: Hands) -> None:
    broker = MemoryBroker()
    publisher = distribution(stage, broker)
    await publisher.publish_waiting()
    first = head_of(broker)
    await publisher.publish_waiting()
    assert head_of(broker) == first
    hands.passed_ms += HEAD_EVERY_MS
    await publisher.publish_waiting()
    assert head_of(broker).issued >= first.issued + HEAD_EVERY_MS


async def test_clock_that_was_set_back_does_not_end_the_heads(stage: Stage, hands: Hands) -> None:
    broker = MemoryBroker()
    publisher = distribution(stage, broker)
    hands.passed_ms += 2 * DAY_MS
    await publisher.publish_waiting()
    ahead = head_of(broker)
    hands.passed_ms -= 2 * DAY_MS
    await publisher.publish_waiting()
    assert head_of(broker).issued < ahead.issued


async def test_hour_in_the_wrong_year_costs_nothing(stage: Stage, hands: Hands) -> None:
    digest = await sign_schedule(stage)
    broker = MemoryBroker()
    publisher = distribution(stage, broker)
    await publisher.publish_waiting()
    before = unpack_all(broker.retained[unit_topic(KE_SACH, DOC)])
    hands.passed_ms += 4000 * DAY_MS
    await publisher.publish_waiting()
    wrong = unpack_all(broker.retained[unit_topic(KE_SACH, DOC)])
    assert digest not in [one.digest for one in wrong]
    hands.passed_ms -= 4000 * DAY_MS
    await publisher.publish_waiting()
    after = unpack_all(broker.retained[unit_topic(KE_SACH, DOC)])
    assert [one.digest for one in after[:-1]] == [one.digest for one in before[:-1]]
    assert digest in [one.digest for one in after]


def head_of(broker: MemoryBroker) -> Head:
    found = read(unpack_all(broker.retained[unit_topic(KE_SACH, DOC)])[-1])
    assert isinstance(found, Head)
    return found


async def test_unit_whose_documents_ended_says_so(stage: Stage, hands: Hands) -> None:
    broker = MemoryBroker()
    publisher = distribution(stage, broker)
    await publisher.publish_waiting()
    hands.passed_ms += 120 * 86_400_000
    await publisher.publish_waiting()
    parcel = unpack_all(broker.retained[unit_topic(KE_SACH, DOC)])
    assert [one.kind for one in parcel] == [Kind.HEAD]
    async with reading(stage.running.app[ENGINE]) as connection:
        assert KE_SACH in await units_with_documents(connection)


async def stop(stage: Stage, *places: str) -> bytes:
    request = await request_signature(stage.operator, KE_SACH, kind="stop", targets=list(places))
    envelope = signed(request, stage.ceremony.ke_sach)
    [result] = await post(stage.stranger, envelope)
    assert result["state"] == "accepted"
    return envelope.pack()


async def test_stop_goes_to_those_addressed_once(stage: Stage) -> None:
    envelope = await stop(stage, PLACE, SECOND)
    broker = MemoryBroker()
    publisher = distribution(stage, broker)
    async with waiting_again(stage):
        await publisher.publish_waiting()
        await publisher.publish_waiting()
    alerts = [(topic, payload) for topic, payload in broker.sent if topic.endswith(ALERT)]
    assert alerts == [(unit_topic(place, ALERT), envelope) for place in (PLACE, SECOND)]


async def test_stop_that_expired_while_the_broker_was_away(stage: Stage, hands: Hands) -> None:
    await stop(stage)
    broker = MemoryBroker()
    async with waiting_again(stage):
        hands.passed_ms += 31 * 60_000
        await distribution(stage, broker).publish_waiting()
    assert not [topic for topic, _ in broker.sent if topic.endswith(ALERT)]


def bearer(device: str = DEVICE) -> dict[str, str]:
    return {"Authorization": f"Bearer {token(device)}"}


async def test_device_asks_beside_the_broker(stage: Stage) -> None:
    digest = await sign_schedule(stage)
    session = stage.stranger.session
    query = {"place": PLACE, "cursor": "", "wait": "5"}
    async with session.get("/device/v1/documents", params=query, headers=bearer()) as answer:
        body = await answer.json()
    parcels = [unpack_all(text.encode()) for text in body["parcels"]]
    assert [one[0].kind for one in parcels] == [Kind.GRANT, Kind.GRANT]
    assert digest in [one.digest for one in parcels[1]]
    query |= {"cursor": body["cursor"], "wait": "0"}
    async with session.get("/device/v1/documents", params=query, headers=bearer()) as answer:
        assert answer.status == 204


@pytest.mark.slow
async def test_waiting_device_is_told_of_a_stop(stage: Stage) -> None:
    session = stage.stranger.session
    shelf = stage.running.app[DISTRIBUTION].shelf
    query = {"place": PLACE, "cursor": shelf.answer(PLACE).cursor, "wait": "20"}
    asking = asyncio.create_task(session.get("/device/v1/documents", params=query, headers=bearer()))
    envelope = await stop(stage)
    async with await asyncio.wait_for(asking, 5) as answer:
        body = await answer.json()
    assert body["alerts"] == [envelope.decode()]


async def test_service_that_stops_lets_waiting_devices_go(stage: Stage) -> None:
    session = stage.stranger.session
    shelf = stage.running.app[DISTRIBUTION].shelf
    query = {"place": PLACE, "cursor": shelf.answer(PLACE).cursor, "wait": "50"}
    asking = asyncio.create_task(session.get("/device/v1/documents", params=query, headers=bearer()))
    await asyncio.sleep(0.05)
    shelf.close()
    async with await asyncio.wait_for(asking, 2) as answer:
        assert answer.status == 204


async def test_device_without_token_or_elsewhere(stage: Stage) -> None:
    session = stage.stranger.session
    async with session.get("/device/v1/documents") as answer:
        assert answer.status == 401
    async with session.get("/device/v1/documents", params={"place": f"{TRAN_DE}/c01"}, headers=bearer()) as answer:
        assert answer.status == 403
    async with session.post("/device/v1/attest", json={"nonce": "0" * 32}) as answer:
        assert answer.status == 401


async def test_time_is_attested(stage: Stage) -> None:
    session, app = stage.stranger.session, stage.running.app
    async with session.post("/device/v1/attest", json={"nonce": "ab" * 16}, headers=bearer()) as answer:
        envelope = unpack(await answer.read())
    attestation = read(envelope)
    assert isinstance(attestation, Attestation)
    assert attestation.nonce == "ab" * 16
    assert abs(attestation.wall - app[CLOCK]()) < 5000
    assert envelope.signers([open_key(stage.running.config.data).public])


async def test_nonce_of_another_shape(stage: Stage) -> None:
    bodies: tuple[Any, ...] = ({"nonce": "xyz"}, {}, [], {"nonce": 7})
    for body in bodies:
        async with stage.stranger.session.post("/device/v1/attest", json=body, headers=bearer()) as answer:
            assert answer.status == 400


async def test_freshness_key_stays_the_same_and_private(tmp_path: Path) -> None:
    first = open_key(tmp_path)
    assert open_key(tmp_path).public == first.public
    assert (tmp_path / "freshness.key").stat().st_mode & 0o777 == 0o600


@pytest.mark.slow
async def test_restarted_controller_sends_what_was_left(stage: Stage, hands: Hands) -> None:
    digest = await sign_schedule(stage)
    data = stage.running.config.data
    async with waiting_again(stage), run_controller(data, clock=hands, capabilities=CAPABILITIES) as again:
        payload = await receive(again, unit_topic(KE_SACH, DOC), DEVICE)
    assert digest in [one.digest for one in unpack_all(payload)]


async def test_crash_while_storing_leaves_nothing_half_done(stage: Stage) -> None:
    bulletin = await approved(stage.author, stage.approver, draft())
    request = await request_signature(stage.operator, KE_SACH)
    envelope = signed(request, stage.ceremony.ke_sach)

    async def lights_out(connection: AsyncConnection, stored: StoredEnvelope) -> None:
        raise RuntimeError("the power went")

    hooks = stage.running.app[ENVELOPE_HOOKS]
    hooks.append(lights_out)
    assert await post(stage.stranger, envelope, status=500) == []
    await stage.operator.call("GET", f"/envelopes/{envelope.digest}", status=404)
    assert (await stage.author.call("GET", f"/bulletins/{bulletin['id']}"))["state"] == "approved"
    hooks.remove(lights_out)
    [result] = await post(stage.stranger, envelope)
    assert result["state"] == "accepted"
    assert (await stage.author.call("GET", f"/bulletins/{bulletin['id']}"))["state"] == "in_force"
