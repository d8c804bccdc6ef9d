"""An emergency from the form to the loudspeakers and back, on a real broker."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from controller.broker.keys import MQTT
from protocol.envelope import countersign
from protocol.errors import Refusal
from protocol.report import Standing
from protocol.topics import ALERT, unit_topic
from tests.controller.alerts.conftest import Stage, asked, signed_with_cancel
from tests.controller.devices.pretend import Pretend, connected, until
from tests.controller.running import KE_SACH, PROVINCE, TRAN_DE, Hands
from tests.controller.signing.authorities import post
from tests.controller.signing.stage import token

pytestmark = pytest.mark.slow

FIRST = "vn-92-31528-c01"
UNITS = {"31528": KE_SACH, "31673": TRAN_DE}


@asynccontextmanager
async def listening(stage: Stage, device: str = FIRST) -> AsyncIterator[Pretend]:
    """A loudspeaker that hears its unit's emergencies."""
    unit = UNITS[device.split("-")[2]]
    async with connected(stage.running, token(device), device, unit) as pretend:
        pretend.place = type(pretend.place)(f"{unit}/{device.rsplit('-', 1)[1]}")
        await pretend.client.subscribe(unit_topic(unit, ALERT), qos=1)
        yield pretend


async def heard(device: Pretend) -> bytes:
    async with asyncio.timeout(3):
        message = await anext(device.client.messages)
    return bytes(message.payload)


async def test_signed_emergency_reaches_and_is_counted(stage: Stage) -> None:
    made = await stage.commune.call("POST", "/alerts", asked(), status=201)
    alert, cancel = signed_with_cancel(made, stage.ceremony.ke_sach)
    assert alert.digest == made["digest"]
    async with listening(stage) as device:
        results = await post(stage.running.stranger(), alert, cancel)
        assert [one["state"] for one in results] == ["accepted", "accepted"]
        assert await heard(device) == alert.pack()
        await device.tell(device.receipt(alert.digest, Standing.RECEIVED, kind="alert"))
        await device.tell(device.receipt(alert.digest, Standing.SOUNDING, kind="alert"))
        path = f"/alerts/{made['id']}"
        seen = await until(lambda: stage.commune.call("GET", path), lambda it: it["counts"]["sounding"] == 1)
        assert (seen["state"], seen["cancel_ready"]) == ("sent", True)
        assert seen["counts"] | {"sent": 4, "received": 1, "no_word": 3} == seen["counts"]
        page = await stage.commune.see(path)
        assert "Nước đang dâng nhanh." in page and f"{path}/cancel" in page
        assert f"{path}/cancel" in await stage.commune.see("/alerts/banner")


async def test_cancel_is_one_touch(stage: Stage) -> None:
    made = await stage.commune.call("POST", "/alerts", asked(), status=201)
    alert, cancel = signed_with_cancel(made, stage.ceremony.ke_sach)
    await post(stage.running.stranger(), alert, cancel)
    async with listening(stage) as device:
        answer = await stage.commune.send(f"/alerts/{made['id']}/cancel")
        assert answer.status == 200
        assert await heard(device) == cancel.pack()
    seen = await stage.commune.call("POST", f"/alerts/{made['id']}/cancel")
    assert seen["state"] == "cancelled"
    assert "alert-banner" not in await stage.commune.see("/alerts/banner")


async def test_wide_emergency_needs_second_person(stage: Stage) -> None:
    made = await stage.province.call("POST", "/alerts", asked(targets=[KE_SACH, TRAN_DE]), status=201)
    first, second = stage.ceremony.province
    alert, cancel = signed_with_cancel(made, first)
    results = await post(stage.running.stranger(), alert, cancel)
    assert [one["state"] for one in results] == ["partial", "partial"]
    seen = await stage.province.call("GET", f"/alerts/{made['id']}")
    assert (seen["state"], seen["signatures"], seen["signatures_needed"]) == ("partial", 1, 2)
    page = await stage.province.see(f"/alerts/{made['id']}")
    assert 'name="envelope"' in page and 'name="cancel"' in page
    async with listening(stage) as one, listening(stage, "vn-92-31673-c02") as other:
        both = countersign(alert, second), countersign(cancel, second)
        await post(stage.running.stranger(), *both)
        packed = await heard(one)
        assert packed == await heard(other)
    seen = await stage.province.call("GET", f"/alerts/{made['id']}")
    assert (seen["state"], seen["scope"], seen["cancel_ready"]) == ("sent", PROVINCE, True)


async def test_refusal_is_counted_with_reason(stage: Stage) -> None:
    made = await stage.commune.call("POST", "/alerts", asked(), status=201)
    alert, cancel = signed_with_cancel(made, stage.ceremony.ke_sach)
    await post(stage.running.stranger(), alert, cancel)
    async with listening(stage) as device:
        refused = device.receipt(alert.digest, Standing.REFUSED, kind="alert", refusal=Refusal.CLOCK_NOT_TRUSTED)
        await device.tell(refused)
        path = f"/alerts/{made['id']}"
        seen = await until(lambda: stage.commune.call("GET", path), lambda it: it["counts"]["refused"] == 1)
        assert seen["refusals"] == {"clock_not_trusted": 1}


async def test_emergency_waits_while_broker_is_away(stage: Stage) -> None:
    mqtt = stage.running.app[MQTT]
    address, stage_url = mqtt.address, stage.running.origin
    assert address is not None and stage_url
    made = await stage.commune.call("POST", "/alerts", asked(), status=201)
    alert, cancel = signed_with_cancel(made, stage.ceremony.ke_sach)
    urgent = mqtt._urgent
    kept, urgent._client = urgent._client, None
    await post(stage.running.stranger(), alert, cancel)
    seen = await stage.commune.call("GET", f"/alerts/{made['id']}")
    assert (seen["state"], seen["published_ms"]) == ("sent", None)
    assert (await stage.commune.call("GET", "/broker"))["waiting"] >= 1
    urgent._client = kept
    async with listening(stage) as device:
        assert await heard(device) == alert.pack()


async def test_emergency_only_within_own_units(stage: Stage) -> None:
    await stage.commune.call("POST", "/alerts", asked(targets=[TRAN_DE]), status=403)
    await stage.commune.call("POST", "/alerts", asked(targets=[KE_SACH, TRAN_DE]), status=403)
    made = await stage.commune.call("POST", "/alerts", asked(), status=201)
    await stage.neighbour.call("GET", f"/alerts/{made['id']}", status=404)
    await stage.neighbour.call("POST", f"/alerts/{made['id']}/cancel", status=404)


async def test_commune_sees_but_cannot_cancel_province(stage: Stage) -> None:
    made = await stage.province.call("POST", "/alerts", asked(targets=[KE_SACH, TRAN_DE]), status=201)
    alert, cancel = signed_with_cancel(made, *stage.ceremony.province)
    await post(stage.running.stranger(), alert, cancel)
    seen = await stage.neighbour.call("GET", f"/alerts/{made['id']}")
    assert seen["counts"]["sent"] == 4
    await stage.neighbour.call("POST", f"/alerts/{made['id']}/cancel", status=403)


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"text": ""}, 422),
        ({"text": "a" * 501}, 422),
        ({"text": "Nước lên ⚠"}, 422),
        ({"targets": []}, 422),
        ({"targets": ["../etc"]}, 400),
        ({"kind": "joke"}, 400),
        ({"duration_s": 1801}, 422),
        ({"duration_s": 1}, 422),
        ({"severity": 9}, 422),
        ({"media_digest": "0" * 64}, 422),
        ({"targets": ["vn/92/31528/nowhere"]}, 400),
    ],
)
async def test_bad_input_is_explained(stage: Stage, changes: dict[str, object], status: int) -> None:
    answer = await stage.commune.call("POST", "/alerts", asked(**changes), status=status)
    assert answer["error"]["message"]


async def test_form_leads_to_signer(stage: Stage) -> None:
    assert "kind=drill" in await stage.commune.see("/alerts/new")
    form = await stage.commune.see("/alerts/new?kind=drill")
    assert "Diễn tập, diễn tập" in form and 'data-loudspeakers="4"' in form
    fields = {"kind": "drill", "targets": KE_SACH, "text": "Nước lên", "minutes": "2", "severity": "2"}
    first = await stage.commune.send("/alerts/new", fields, once="twice")
    again = await stage.commune.send("/alerts/new", fields, once="twice")
    assert first.path == again.path
    assert 'action="http://127.0.0.1:8090/review?lang=vi"' in first.text and 'value="alert-drill"' in first.text


async def test_old_draft_is_made_anew(stage: Stage, hands: Hands) -> None:
    made = await stage.commune.call("POST", "/alerts", asked(duration_s=1200), status=201)
    hands.passed_ms += 6 * 60_000
    page = await stage.commune.see(f"/alerts/{made['id']}")
    assert "/renew" in page and "/review" not in page
    answer = await stage.commune.send(f"/alerts/{made['id']}/renew")
    assert answer.path != f"/alerts/{made['id']}" and "/review" in answer.text


async def test_draft_put_aside_then_signed_shows_the_truth(stage: Stage) -> None:
    made = await stage.commune.call("POST", "/alerts", asked(), status=201)
    await stage.commune.send(f"/alerts/{made['id']}/cancel")
    assert (await stage.commune.call("GET", f"/alerts/{made['id']}"))["state"] == "cancelled"
    await post(stage.running.stranger(), *signed_with_cancel(made, stage.ceremony.ke_sach))
    seen = await stage.commune.call("GET", f"/alerts/{made['id']}")
    assert (seen["state"], seen["cancel_ready"]) == ("sent", True)
