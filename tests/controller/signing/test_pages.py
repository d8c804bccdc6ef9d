"""The signing pages: what waits, the hand-over, and the rules of the loudspeakers as a form."""

from __future__ import annotations

import base64
import html
import json
import re
from typing import Any

import pytest

from protocol.document import Kind
from protocol.envelope import sign, unpack
from tests.controller.running import KE_SACH, PROVINCE, TRAN_DE
from tests.controller.signing.authorities import key, post, request_signature, signed
from tests.controller.signing.conftest import Stage
from tests.controller.signing.stage import add_sound, approved, browser, draft
from tests.controller.signing.test_envelopes import refused, schedule


def hidden(text: str, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]*)"', text)
    assert found, name
    return html.unescape(found[1])


async def test_nothing_waits(stage: Stage) -> None:
    assert "Không có lịch phát nào chờ ký" in await stage.operator.see("/signing")


async def test_what_changes_is_listed_and_handed_over(stage: Stage) -> None:
    await approved(stage.author, stage.approver, draft(title="Tin một"))
    text = await stage.operator.see("/signing")
    assert "Tin một" in text
    answer = await stage.operator.send("/signing/schedule", {"unit": KE_SACH})
    assert f'action="{stage.running.config.signer_url}/review?lang=vi"' in answer.text
    assert hidden(answer.text, "controller") == stage.running.origin
    assert hidden(answer.text, "return_url") == f"{stage.running.origin}/signing"
    payload = json.loads(base64.b64decode(hidden(answer.text, "payload")))
    assert (payload["scope"], payload["version"]) == (KE_SACH, 1)
    request = {"kind": hidden(answer.text, "kind"), "payload": hidden(answer.text, "payload")}
    [result] = await post(stage.stranger, signed(request, stage.ceremony.ke_sach))
    assert result["state"] == "accepted"
    text = await stage.operator.see("/signing")
    assert "Không có lịch phát nào chờ ký" in text
    assert "Lịch phát" in text


async def test_upper_level_sees_what_waits_below(stage: Stage) -> None:
    await approved(stage.author, stage.approver, draft(title="Tin của xã"))
    auditor = await browser(stage.running, "auditor")
    text = await auditor.see("/signing")
    assert "Tin của xã" in text
    assert "Ký lịch phát này" not in text


async def test_home_says_that_something_waits(stage: Stage) -> None:
    await approved(stage.author, stage.approver, draft(title="Tin một"))
    assert "Chờ ký" in await stage.operator.see("/")


async def test_second_person_is_handed_the_first_signature(stage: Stage) -> None:
    grant = stage.ceremony.grant(PROVINCE, "night shift", key(41), signers=1)
    [result] = await post(stage.stranger, grant)
    province = await browser(stage.running, "operator")
    assert "1 người đã ký" in await province.see("/signing")
    answer = await province.send("/signing/countersign", {"digest": result["digest"]})
    envelope = unpack(base64.b64decode(hidden(answer.text, "envelope")))
    assert envelope.digest == result["digest"]
    assert base64.b64decode(hidden(answer.text, "payload")) == grant.payload
    answer = await stage.operator.send("/signing/countersign", {"digest": result["digest"]})
    assert answer.status == 404


async def test_refusals_are_shown_to_operators(stage: Stage) -> None:
    await refused(stage, sign(Kind.SCHEDULE, schedule(stage), [stage.ceremony.tran_de]))
    assert "Bị từ chối gần đây" in await stage.operator.see("/signing")
    assert "Bị từ chối gần đây" not in await stage.approver.see("/signing")


def rules(**changes: Any) -> dict[str, Any]:
    """What the form sends."""
    usual = {
        "unit": KE_SACH,
        "quiet_begin": ["21:00", ""],
        "quiet_end": ["06:00", ""],
        "quiet_days": ["", ""],
        "fm_begin": ["05:00", ""],
        "fm_end": ["06:30", ""],
        "fm_days": ["1,2,3,4,5", ""],
        "station_frequency": ["96,5", ""],
        "station_name": ["Đài Cần Thơ", ""],
        "station_pi": ["d301", ""],
        "fallback": "fm",
        "on_computer_dead": "silence",
        "microphone_in_quiet_hours": "1",
        "ordinary_attenuation_cdb": "3",
        "priority_attenuation_cdb": "0",
        "emergency_attenuation_cdb": "0",
        "talk_ms_max": "15",
        "fm_session_ms_max": "60",
        "rssi_floor_dbuv": "30",
        "amplifier_lead_in_ms": "700",
        "amplifier_hold_ms": "5",
        "head_age_ms_max": "8",
    }
    return usual | changes


async def test_rules_become_a_document(stage: Stage) -> None:
    answer = await stage.operator.send("/signing/rules", rules())
    assert answer.status == 200, answer.text
    made = json.loads(base64.b64decode(hidden(answer.text, "payload")))
    assert made["quiet_hours"] == [{"begin_s": 75_600, "days": [], "end_s": 21_600}]
    assert made["fm_stations"] == [{"frequency_khz": 96_500, "name": "Đài Cần Thơ", "pi": "D301"}]
    assert (made["ordinary_attenuation_cdb"], made["talk_ms_max"], made["fallback"]) == (300, 900_000, "fm")
    request = {"kind": hidden(answer.text, "kind"), "payload": hidden(answer.text, "payload")}
    [result] = await post(stage.stranger, signed(request, stage.ceremony.ke_sach))
    assert result["state"] == "accepted"
    text = await stage.operator.see("/signing/rules")
    assert 'value="96.5"' in text
    assert "Đài Cần Thơ – 96,5 MHz" in await stage.author.see("/bulletins/new")


async def test_messages_behind_the_buttons_are_signed(stage: Stage) -> None:
    await add_sound(stage.running, "ab" * 32, KE_SACH, minutes=0.5)
    page = await stage.operator.see("/signing/rules")
    assert "Lời nhắn lưu sẵn" in page and f'<option value="{"ab" * 32}">Bản tin mẫu' in page
    chosen = {"message_digest": ["", "ab" * 32, ""], "message_title": ["", "Mời họp dân", ""]}
    answer = await stage.operator.send("/signing/rules", rules(**chosen))
    made = json.loads(base64.b64decode(hidden(answer.text, "payload")))
    sound = {"digest": "ab" * 32, "size_bytes": 480_000, "duration_ms": 30_000}
    assert made["messages"] == [{"number": 2, "title": "Mời họp dân", "media": sound}]
    request = {"kind": hidden(answer.text, "kind"), "payload": hidden(answer.text, "payload")}
    [result] = await post(stage.stranger, signed(request, stage.ceremony.ke_sach))
    assert result["state"] == "accepted"
    shown = await stage.operator.see("/signing/rules")
    assert f'<option value="{"ab" * 32}" selected>' in shown and 'value="Mời họp dân"' in shown


async def test_message_whose_sound_is_gone_is_told(stage: Stage) -> None:
    answer = await stage.operator.send("/signing/rules", rules(message_digest=["cd" * 32], message_title=[""]))
    assert answer.status == 422
    assert "không còn trong thư viện" in answer.text


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"quiet_begin": ["21:00", "7"], "quiet_end": ["06:00", "08:00"]}, "Hãy ghi giờ và phút"),
        ({"quiet_begin": ["21:00", "08:00"], "quiet_end": ["06:00", "08:00"]}, "hai giờ phải khác nhau"),
        ({"station_frequency": ["70.0", ""]}, "Mỗi đài cần có tần số"),
        ({"station_name": ["", ""]}, "và tên đài"),
        ({"station_pi": ["xyz", ""]}, "Mã RDS gồm"),
        ({"talk_ms_max": "0"}, "số nguyên từ 1 đến 60"),
        ({"emergency_attenuation_cdb": "-3"}, "số nguyên từ 0 đến 12"),
    ],
)
async def test_wrong_rules_are_told_beside_the_field(stage: Stage, changes: dict[str, Any], sentence: str) -> None:
    answer = await stage.operator.send("/signing/rules", rules(**changes))
    assert answer.status == 422
    assert sentence in answer.text
    assert "Những gì bạn đã viết vẫn còn nguyên" in answer.text


async def test_rules_of_the_unit_above_are_named(stage: Stage) -> None:
    province = await browser(stage.running, "operator")
    request = await request_signature(province, PROVINCE, kind="audible-config", config={})
    await post(stage.stranger, signed(request, stage.ceremony.province[0]))
    assert "chưa có quy tắc riêng nên dùng quy tắc của Thành phố Cần Thơ" in await stage.operator.see(
        "/signing/rules"
    )


async def test_rules_of_another_unit_are_refused(stage: Stage) -> None:
    await stage.operator.see(f"/signing/rules?unit={TRAN_DE}", status=403)
    await stage.approver.see("/signing/rules", status=403)


async def test_stop_is_handed_over(stage: Stage) -> None:
    assert "Dừng phát ngay" in await stage.operator.see("/signing/stop")
    answer = await stage.operator.send("/signing/stop", {"unit": KE_SACH, "minutes": "30"})
    made = json.loads(base64.b64decode(hidden(answer.text, "payload")))
    assert abs(made["until"] - made["issued"] - 30 * 60_000) < 5000
    answer = await stage.operator.send("/signing/stop", {"unit": KE_SACH, "minutes": "31"})
    assert answer.status == 422
