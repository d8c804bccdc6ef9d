"""The door for signed documents: what passes, what waits for a second signature, what is refused and why."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from typing import Any

import pytest

from controller.keys import CLOCK
from protocol import codec
from protocol.alert import Alert, Cancel, Part
from protocol.clock import WallMs
from protocol.document import Kind
from protocol.envelope import Envelope, countersign, sign
from protocol.keys import SigningKey
from protocol.schedule import Schedule
from protocol.units import UnitPath
from protocol.verbs import Verb
from tests.controller.running import KE_SACH, PROVINCE, TRAN_DE, Hands, RunningController
from tests.controller.signing.authorities import Ceremony, key, post, request_signature, signed
from tests.controller.signing.conftest import Stage
from tests.controller.signing.stage import approved, draft

DAY_MS = 86_400_000


def schedule(stage: Stage, unit: UnitPath = KE_SACH, *, version: int = 1, **changes: Any) -> bytes:
    now = stage.running.app[CLOCK]()
    made = Schedule(unit, version, now, WallMs(now + DAY_MS), ())
    return codec.encode(replace(made, **changes))


async def refused(stage: Stage, envelope: Envelope) -> str:
    [result] = await post(stage.stranger, envelope)
    assert result["state"] == "refused", result
    shown = await stage.operator.call("GET", f"/envelopes/{result['digest']}")
    assert shown["refusal"] == result["refusal"]
    return str(result["refusal"])


async def test_empty_schedule_is_accepted(stage: Stage) -> None:
    envelope = sign(Kind.SCHEDULE, schedule(stage), [stage.ceremony.ke_sach])
    [result] = await post(stage.stranger, envelope)
    assert result["state"] == "accepted"
    shown = await stage.operator.call("GET", f"/envelopes/{result['digest']}")
    assert (shown["state"], shown["version"], shown["scope"]) == ("in_force", 1, KE_SACH)
    assert shown["published_ms"] is not None


async def test_same_envelope_twice_is_no_error(stage: Stage) -> None:
    envelope = sign(Kind.SCHEDULE, schedule(stage), [stage.ceremony.ke_sach])
    for _ in range(2):
        [result] = await post(stage.stranger, envelope)
        assert result["state"] == "accepted"


async def test_older_version_is_refused(stage: Stage) -> None:
    await post(stage.stranger, sign(Kind.SCHEDULE, schedule(stage, version=7), [stage.ceremony.ke_sach]))
    for version in (6, 7):
        payload = schedule(stage, version=version, precedence=(f"{KE_SACH}#b{version}",))
        assert await refused(stage, sign(Kind.SCHEDULE, payload, [stage.ceremony.ke_sach])) == "older_version"


async def test_next_request_follows_the_version_in_force(stage: Stage) -> None:
    await post(stage.stranger, sign(Kind.SCHEDULE, schedule(stage, version=7), [stage.ceremony.ke_sach]))
    request = await request_signature(stage.operator, KE_SACH)
    assert request["summary"]["version"] == 8


async def test_tampered_schedule_is_refused(stage: Stage) -> None:
    envelope = sign(Kind.SCHEDULE, schedule(stage), [stage.ceremony.ke_sach])
    changed = replace(envelope, payload=envelope.payload.replace(b'"version":1', b'"version":9'))
    assert await refused(stage, changed) == "bad_signature"


async def test_key_of_another_commune_is_refused(stage: Stage) -> None:
    assert await refused(stage, sign(Kind.SCHEDULE, schedule(stage), [stage.ceremony.tran_de])) == "out_of_scope"


async def test_stranger_is_refused(stage: Stage) -> None:
    assert await refused(stage, sign(Kind.SCHEDULE, schedule(stage), [SigningKey.generate()])) == "unknown_key"


async def test_schedule_is_no_alert(stage: Stage) -> None:
    envelope = sign(Kind.SCHEDULE, schedule(stage), [stage.ceremony.ke_sach])
    relabelled = replace(envelope, payload_type=envelope.payload_type.replace("schedule", "alert"))
    assert await refused(stage, relabelled) == "bad_signature"


async def test_unknown_kind_is_refused_by_name(stage: Stage) -> None:
    [result] = await post(stage.stranger, sign("jingle", b"{}", [stage.ceremony.ke_sach]))
    assert (result["state"], result["refusal"]) == ("refused", "unknown_type")
    assert "jingle" in result["detail"]


async def test_freshness_does_not_come_by_this_way(stage: Stage) -> None:
    assert await refused(stage, sign(Kind.HEAD, b"{}", [stage.ceremony.ke_sach])) == "unknown_type"


async def test_dated_ahead_or_over(stage: Stage) -> None:
    now = stage.running.app[CLOCK]()
    ahead = schedule(stage, issued=WallMs(now + 10 * 60_000))
    assert await refused(stage, sign(Kind.SCHEDULE, ahead, [stage.ceremony.ke_sach])) == "not_yet_valid"
    over = schedule(stage, issued=WallMs(now - 2 * DAY_MS), expires=WallMs(now - DAY_MS))
    assert await refused(stage, sign(Kind.SCHEDULE, over, [stage.ceremony.ke_sach])) == "expired"


async def test_operator_whose_grant_ended(stage: Stage, hands: Hands) -> None:
    hands.passed_ms += 91 * DAY_MS
    assert await refused(stage, sign(Kind.SCHEDULE, schedule(stage), [stage.ceremony.ke_sach])) == "grant_expired"


async def test_too_large_for_an_alert(stage: Stage) -> None:
    big = sign(Kind.STOP, b" " * 9000, [stage.ceremony.ke_sach])
    [result] = await post(stage.stranger, big)
    assert result["refusal"] == "too_large"


@pytest.mark.parametrize("text", ["", "{}", "[]", "không phải", '{"payload":"?","payloadType":"x","signatures":[]}'])
async def test_no_envelope_at_all(stage: Stage, text: str) -> None:
    async with stage.stranger.session.post("/api/v1/envelopes", json={"envelopes": [text]}) as answer:
        [result] = (await answer.json())["results"]
    assert result["refusal"] == "malformed_envelope"


@pytest.mark.parametrize("body", [{}, [], {"envelopes": "x" * 17}, {"envelopes": []}, {"envelopes": None}])
async def test_body_of_another_shape(stage: Stage, body: Any) -> None:
    async with stage.stranger.session.post("/api/v1/envelopes", json=body) as answer:
        assert answer.status == 400
        assert (await answer.json())["error"]["message"]


async def test_knocking_too_often(stage: Stage) -> None:
    statuses = set()
    for _ in range(30):
        async with stage.stranger.session.post("/api/v1/envelopes", json={"envelopes": ["{}"] * 16}) as answer:
            statuses.add(answer.status)
    assert statuses == {200, 429}


async def test_without_anchor_nothing_is_accepted(controller: RunningController) -> None:
    ceremony = Ceremony(controller.app[CLOCK]())
    stranger = controller.stranger()
    assert await post(stranger, ceremony.grants()[0], status=503) == []
    ceremony.write_anchor(controller.config.data)
    [result] = await post(stranger, ceremony.grants()[0])
    assert result["state"] == "accepted"


async def test_grant_with_one_anchor_key_waits_for_another(stage: Stage) -> None:
    ceremony = stage.ceremony
    grant = ceremony.grant(KE_SACH, "second operator", key(31), signers=1)
    [result] = await post(stage.stranger, grant)
    assert (result["state"], result["detail"]) == ("partial", "1 of 2")
    [result] = await post(stage.stranger, countersign(grant, ceremony.anchors[2]))
    assert result["state"] == "accepted"
    [result] = await post(stage.stranger, sign(Kind.SCHEDULE, schedule(stage), [key(31)]))
    assert result["state"] == "accepted"


async def test_renewed_grant_replaces_the_former(stage: Stage) -> None:
    ceremony = stage.ceremony
    renewed = ceremony.grant(KE_SACH, "ke-sach", key(32), verbs=(Verb.SCHEDULE,), serial=2)
    [result] = await post(stage.stranger, renewed)
    assert result["state"] == "accepted"
    assert await refused(stage, sign(Kind.SCHEDULE, schedule(stage), [ceremony.ke_sach])) == "grant_renewed"
    older = ceremony.grant(KE_SACH, "ke-sach", key(33), serial=1)
    assert await refused(stage, older) == "older_version"


def alert(stage: Stage, *, targets: tuple[UnitPath, ...]) -> Alert:
    now = stage.running.app[CLOCK]()
    part = Part("vi", "Nước sông đang lên nhanh.")
    return Alert(PROVINCE, "a1", 1, now, WallMs(now + 600_000), 3, targets, (part,))


async def test_wide_alert_waits_for_the_second_person(stage: Stage) -> None:
    payload = codec.encode(alert(stage, targets=(KE_SACH, TRAN_DE)))
    first, second = stage.ceremony.province
    envelope = sign(Kind.ALERT, payload, [first])
    [result] = await post(stage.stranger, envelope)
    assert (result["state"], result["detail"]) == ("partial", "1 of 2")
    # The second person's signer may send its own signature only: the controller joins them.
    [result] = await post(stage.stranger, sign(Kind.ALERT, payload, [second]))
    assert result["state"] == "accepted"
    shown = await stage.operator.call("GET", f"/envelopes/{result['digest']}", status=404)
    assert shown["error"]["code"] == "not_found"


async def test_same_signature_twice_is_one_person(stage: Stage) -> None:
    payload = codec.encode(alert(stage, targets=(KE_SACH, TRAN_DE)))
    envelope = sign(Kind.ALERT, payload, [stage.ceremony.province[0]])
    doubled = replace(envelope, signatures=envelope.signatures * 2)
    for one in (envelope, doubled):
        [result] = await post(stage.stranger, one)
        assert result["state"] == "partial"


async def test_strangers_signatures_are_not_kept(stage: Stage) -> None:
    payload = codec.encode(alert(stage, targets=(KE_SACH, TRAN_DE)))
    first, second = stage.ceremony.province
    crowd = sign(Kind.ALERT, payload, [first, *(SigningKey.generate() for _ in range(7))])
    await post(stage.stranger, crowd)
    [result] = await post(stage.stranger, sign(Kind.ALERT, payload, [second]))
    assert result["state"] == "accepted"


async def test_cancel_is_kept_for_its_button(stage: Stage) -> None:
    sent = alert(stage, targets=(KE_SACH, TRAN_DE))
    cancel = Cancel(PROVINCE, sent.id, sent.issued, sent.expires, sent.targets)
    keys = stage.ceremony.province
    both = [sign(Kind.ALERT, codec.encode(sent), keys), sign(Kind.CANCEL, codec.encode(cancel), keys)]
    results = await post(stage.stranger, *both)
    assert [one["state"] for one in results] == ["accepted", "accepted"]
    province = await stage.running.person("operator")
    shown = await province.call("GET", f"/envelopes/{results[1]['digest']}")
    assert (shown["state"], shown["published_ms"]) == ("prepared", None)


async def test_now_that_passed_while_signing(stage: Stage, hands: Hands) -> None:
    bulletin = await approved(stage.author, stage.approver, draft())
    request = await request_signature(stage.operator, KE_SACH)
    hands.passed_ms += 5 * 60_000
    [result] = await post(stage.stranger, signed(request, stage.ceremony.ke_sach))
    assert (result["state"], result["refusal"]) == ("refused", "expired")
    shown = await stage.operator.call("GET", f"/envelopes/{result['digest']}")
    assert shown["refusal"] == "expired"
    assert (await stage.author.call("GET", f"/bulletins/{bulletin['id']}"))["state"] == "approved"
    again = await request_signature(stage.operator, KE_SACH)
    [result] = await post(stage.stranger, signed(again, stage.ceremony.ke_sach))
    assert result["state"] == "accepted"


async def test_withdrawn_leaves_with_the_next_version(stage: Stage) -> None:
    bulletin = await approved(stage.author, stage.approver, draft())
    request = await request_signature(stage.operator, KE_SACH)
    await post(stage.stranger, signed(request, stage.ceremony.ke_sach))
    gone = await stage.author.call("POST", f"/bulletins/{bulletin['id']}/withdraw", {"reason": "Mưa bão"})
    assert gone["state"] == "withdrawn"
    request = await request_signature(stage.operator, KE_SACH)
    assert request["summary"]["removed"] == [bulletin["title"]]
    payload = json.loads(base64.b64decode(request["payload"]))
    assert (payload["version"], payload["items"]) == (2, [])


async def test_stop_is_made_and_accepted(stage: Stage) -> None:
    request = await request_signature(stage.operator, KE_SACH, kind="stop")
    [result] = await post(stage.stranger, signed(request, stage.ceremony.ke_sach))
    assert result["state"] == "accepted"
    again = await request_signature(stage.operator, KE_SACH, kind="stop", targets=[f"{KE_SACH}/c01"])
    numbers = [json.loads(base64.b64decode(one["payload"]))["sequence"] for one in (request, again)]
    assert numbers[0] < numbers[1]


async def test_configuration_is_made_and_rules_the_checks(stage: Stage) -> None:
    config = {"quiet_hours": [{"begin_s": 9 * 3600, "end_s": 12 * 3600, "days": []}]}
    request = await request_signature(stage.operator, KE_SACH, kind="audible-config", config=config)
    [result] = await post(stage.stranger, signed(request, stage.ceremony.ke_sach))
    assert result["state"] == "accepted"
    made = await stage.author.call("POST", "/bulletins", draft(), status=201)
    answer = await stage.author.call("POST", f"/bulletins/{made['id']}/submit", {}, status=422)
    assert answer["error"]["code"] == "quiet_hours"


async def test_configuration_with_a_wrong_value(stage: Stage) -> None:
    path = f"/units/{KE_SACH.replace('/', '%2F')}/signing-request"
    body = {"kind": "audible-config", "config": {"talk_ms_max": 1}}
    answer = await stage.operator.call("POST", path, body, status=422)
    assert "talk_ms_max" in answer["error"]["message"]


async def test_only_operators_ask_for_bytes(stage: Stage) -> None:
    path = f"/units/{KE_SACH.replace('/', '%2F')}/signing-request"
    await stage.approver.call("POST", path, {}, status=403)
    path = f"/units/{TRAN_DE.replace('/', '%2F')}/signing-request"
    await stage.operator.call("POST", path, {}, status=403)
