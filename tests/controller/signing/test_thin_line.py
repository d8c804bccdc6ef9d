"""From a typed title to the parcel on a real broker."""

from __future__ import annotations

import asyncio

import aiomqtt

from controller.broker.keys import MQTT
from controller.signing.keys import FRESHNESS
from protocol.document import Kind, read
from protocol.freshness import Head
from protocol.parcel import unpack_all
from protocol.schedule import Schedule
from protocol.topics import DOC, unit_topic
from tests.controller.running import KE_SACH, RunningController
from tests.controller.signing.authorities import post, request_signature, signed
from tests.controller.signing.conftest import Stage
from tests.controller.signing.stage import approved, draft, token


async def receive(running: RunningController, topic: str, device: str) -> bytes:
    """What a device that connects now is sent."""
    address = running.app[MQTT].address
    assert address is not None
    client = aiomqtt.Client(
        address.host, address.port, identifier=device, username=device, password=token(device), timeout=3
    )
    async with asyncio.timeout(5), client:
        await client.subscribe(topic, qos=1)
        async for message in client.messages:
            return bytes(message.payload)
    raise AssertionError("nothing came")


async def test_approved_and_signed_reaches_the_broker(stage: Stage) -> None:
    bulletin = await approved(stage.author, stage.approver, draft())
    assert bulletin["state"] == "approved"
    request = await request_signature(stage.operator, KE_SACH)
    assert request["summary"]["added"] == [bulletin["title"]]
    assert request["summary"]["loudspeakers"] == 4
    envelope = signed(request, stage.ceremony.ke_sach)
    [result] = await post(stage.stranger, envelope)
    assert (result["state"], result["refusal"]) == ("accepted", None)

    payload = await receive(stage.running, unit_topic(KE_SACH, DOC), "vn-92-31528-c01")
    envelopes = unpack_all(payload)
    assert [one.kind for one in envelopes] == [Kind.GRANT, Kind.SCHEDULE, Kind.HEAD]
    schedule, head = read(envelopes[1]), read(envelopes[2])
    assert isinstance(schedule, Schedule) and isinstance(head, Head)
    assert [item.id for item in schedule.items] == [bulletin["id"]]
    assert envelopes[2].signers([stage.running.app[FRESHNESS].public])
    assert [(one.kind, one.version) for one in head.newest] == [(Kind.SCHEDULE, 1)]

    shown = await stage.author.call("GET", f"/bulletins/{bulletin['id']}")
    assert shown["state"] == "in_force"
    assert shown["standings"] == {"waiting": 4}
    assert shown["when"]["kind"] == "once"
