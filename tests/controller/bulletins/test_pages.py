"""The pages as a browser without scripts sees them: what was typed is never lost, a double click works once."""

from __future__ import annotations

import asyncio
import base64
import html
import json
import re
from typing import Any

from controller.keys import CLOCK
from protocol.clock import WallMs, local_datetime
from tests.controller.running import KE_SACH, PROVINCE, TRAN_DE, Person
from tests.controller.signing.authorities import post, request_signature, signed
from tests.controller.signing.conftest import Stage
from tests.controller.signing.stage import SOUND, approved, browser, draft

DAY_MS = 86_400_000


def form(**changes: Any) -> dict[str, Any]:
    """What the compose page sends."""
    usual = {
        "unit": KE_SACH,
        "title": "Lịch cắt điện tuần này",
        "content_kind": "programme",
        "media_digest": SOUND,
        "bulletin_class": "ordinary",
        "targets": [KE_SACH],
        "kind": "now",
        "time": "17:00",
        "weekly_time": "17:00",
        "act": "submit",
    }
    return usual | changes


def tomorrow(stage: Stage) -> str:
    now = stage.running.app[CLOCK]()
    return local_datetime(WallMs(now + DAY_MS)).date().isoformat()


async def compose(person: Person, **changes: Any) -> Any:
    return await person.send("/bulletins/new", form(**changes))


def field(text: str, name: str) -> str:
    found = re.search(rf'name="{name}" [^>]*value="([^"]*)"', text)
    assert found, name
    return html.unescape(found[1])


async def test_compose_page_opens(stage: Stage) -> None:
    text = await stage.author.see("/bulletins/new")
    assert "Bản tin mới" in text
    assert f'value="{KE_SACH}" checked' in text
    assert "c01" in text


async def test_approver_is_told_that_only_authors_write(stage: Stage) -> None:
    text = await stage.approver.see("/bulletins/new", status=403)
    assert "Chỉ người soạn tin" in text


async def test_submitted_in_one_go(stage: Stage) -> None:
    answer = await compose(stage.author)
    assert "Chờ duyệt" in answer.text
    assert "Đã gửi bản tin" in answer.told


async def test_draft_may_be_unfinished(stage: Stage) -> None:
    answer = await compose(stage.author, media_digest="", kind="", targets=[], act="store")
    assert "Bản nháp" in answer.text


async def test_mistakes_keep_everything_typed(stage: Stage) -> None:
    changes = {"kind": "once", "date": "2027-02-31", "time": "18:30", "targets": [f"{KE_SACH}/c02"]}
    answer = await compose(stage.author, title="Họp dân & bầu trưởng ấp", **changes)
    assert answer.status == 422
    assert "tháng đó chỉ có 28 ngày" in answer.text
    assert field(answer.text, "title") == "Họp dân & bầu trưởng ấp"
    assert (field(answer.text, "date"), field(answer.text, "media_digest")) == ("2027-02-31", SOUND)
    assert f'value="{KE_SACH}/c02" checked' in answer.text


async def test_collision_is_shown_and_may_be_passed(stage: Stage) -> None:
    when = {"kind": "once", "date": tomorrow(stage), "time": "17:00"}
    await approved(stage.author, stage.approver, draft(when=when, title="Tin trước"))
    answer = await compose(stage.author, bulletin_class="priority", **when)
    assert answer.status == 422
    assert "“Tin trước”" in answer.text
    answer = await compose(stage.author, bulletin_class="priority", go_on="1", **when)
    assert (answer.status, "Chờ duyệt" in answer.text) == (200, True)


async def test_double_click_writes_one_bulletin(stage: Stage) -> None:
    await asyncio.gather(*(stage.author.send("/bulletins/new", form(), once="the same") for _ in range(3)))
    listed = await stage.author.call("GET", "/bulletins")
    assert listed["total"] == 1


async def test_second_editor_sees_both_words(stage: Stage) -> None:
    made = await stage.author.call("POST", "/bulletins", draft(title="Đầu"), status=201)
    path = f"/bulletins/{made['id']}/edit"
    other = await browser(stage.running, "author")
    await other.send(path, form(title="Của người kia", revision=1, act="store"))
    answer = await stage.author.send(path, form(title="Của tôi", revision=1, act="store"))
    assert answer.status == 409
    assert "Của người kia" in answer.text
    assert field(answer.text, "title") == "Của tôi"
    assert field(answer.text, "revision") == "2"
    answer = await stage.author.send(path, form(title="Của tôi", revision=2, act="store"))
    assert answer.status == 200
    assert "Của tôi" in answer.text


async def test_second_editor_is_told_nothing_but_what_differs(stage: Stage) -> None:
    day = tomorrow(stage)
    when = {"kind": "once", "date": day, "time": "09:00", "first_date": day, "last_date": day}
    made = await stage.author.call("POST", "/bulletins", draft(when=when, title="Đầu"), status=201)
    path = f"/bulletins/{made['id']}/edit"
    answers = [
        await stage.author.send(path, form(**when, title=title, revision=1, act="store")) for title in ("A", "B")
    ]
    told = answers[1].text.split("</section>", 1)[0]
    assert "Có người khác đã sửa bản tin này" in told
    assert "09:00" not in told


async def test_approve_then_page_says_who(stage: Stage) -> None:
    made = await stage.author.call("POST", "/bulletins", draft(), status=201)
    path = f"/bulletins/{made['id']}"
    await stage.author.call("POST", f"{path}/submit", {})
    text = await stage.approver.see(path)
    assert f'action="{path}/approve"' in text
    answer = await stage.approver.send(f"{path}/approve")
    assert "Đã duyệt, chờ ký" in answer.text
    assert "đã duyệt bản tin" in answer.text
    answer = await stage.approver.send(f"{path}/approve")
    assert answer.status == 409
    assert "Người ke-sach-2 đã duyệt bản tin này" in answer.text


async def test_author_is_not_offered_to_approve(stage: Stage) -> None:
    made = await stage.author.call("POST", "/bulletins", draft(), status=201)
    await stage.author.call("POST", f"/bulletins/{made['id']}/submit", {})
    assert "/approve" not in await stage.author.see(f"/bulletins/{made['id']}")


async def test_rejected_comes_back_with_its_reason(stage: Stage) -> None:
    made = await stage.author.call("POST", "/bulletins", draft(), status=201)
    path = f"/bulletins/{made['id']}"
    await stage.author.call("POST", f"{path}/submit", {})
    await stage.approver.send(f"{path}/reject", {"reason": "Sai tên ấp"})
    text = await stage.author.see(path)
    assert "Sai tên ấp" in text
    answer = await stage.author.send(f"{path}/edit", form(revision=1))
    assert "Chờ duyệt" in answer.text


async def test_what_is_in_force_cannot_be_edited(stage: Stage) -> None:
    done = await approved(stage.author, stage.approver, draft())
    text = await stage.author.see(f"/bulletins/{done['id']}/edit", status=409)
    assert "bản sao" in text
    assert "Bản tin mới" in await stage.author.see(f"/bulletins/new?copy={done['id']}")


async def test_ordinary_from_above_is_offered_and_placed(stage: Stage) -> None:
    province, approver = await browser(stage.running, "author"), await browser(stage.running, "approver")
    body = draft(PROVINCE, title="Bảo hiểm y tế", targets=[KE_SACH, f"{TRAN_DE}/c01"])
    done = await approved(province, approver, body)
    assert "gửi đề nghị tới các xã" in await province.see(f"/bulletins/{done['id']}")
    inbox = await stage.author.see("/bulletins/offers")
    assert "Bảo hiểm y tế" in inbox
    name = re.search(r'href="/bulletins/(\w+)/edit"', inbox)
    assert name
    page = await stage.author.see(f"/bulletins/{name[1]}/edit")
    assert "Đưa tin được đề nghị vào lịch" in page
    fields = form(title="Đổi lời", unit=PROVINCE, media_digest="", revision=1, kind="now")
    answer = await stage.author.send(f"/bulletins/{name[1]}/edit", fields)
    assert "Bảo hiểm y tế" in answer.text
    assert "Chờ duyệt" in answer.text
    assert "Đổi lời" not in answer.text
    request = await request_signature(await browser(stage.running, "operator"), PROVINCE)
    assert request["summary"]["items"] == 0


async def test_offer_is_declined_and_still_there(stage: Stage) -> None:
    province, approver = await browser(stage.running, "author"), await browser(stage.running, "approver")
    await approved(province, approver, draft(PROVINCE, title="Thi văn nghệ"))
    offers = (await stage.author.call("GET", "/bulletins?state=offered"))["bulletins"]
    answer = await stage.author.send(f"/bulletins/{offers[0]['id']}/decline")
    assert "Đã từ chối" in answer.text
    assert "Thi văn nghệ" in answer.text


async def test_withdrawn_but_still_signed_is_said(stage: Stage) -> None:
    done = await approved(stage.author, stage.approver, draft())
    request = await request_signature(stage.operator, KE_SACH)
    await post(stage.stranger, signed(request, stage.ceremony.ke_sach))
    answer = await stage.author.send(f"/bulletins/{done['id']}/withdraw")
    assert "loa vẫn giữ cho đến khi" in answer.text
    request = await request_signature(stage.operator, KE_SACH)
    await post(stage.stranger, signed(request, stage.ceremony.ke_sach))
    assert "loa vẫn giữ" not in await stage.author.see(f"/bulletins/{done['id']}")


async def test_preview_counts_before_sending(stage: Stage) -> None:
    fields = form(kind="once", date=tomorrow(stage), time="17:00", targets=[f"{KE_SACH}/c01", f"{KE_SACH}/c02"])
    answer = await stage.author.send("/bulletins/preview", fields)
    assert "2 cụm loa sẽ phát" in answer.text
    assert "17:00" in answer.text
    answer = await stage.author.send("/bulletins/preview", form(kind="once", date=tomorrow(stage), time="23:00"))
    assert "giờ yên tĩnh" in answer.text


async def test_places_follow_the_unit(stage: Stage) -> None:
    province = await browser(stage.running, "author")
    text = await province.see(f"/bulletins/for-unit?unit={TRAN_DE}")
    assert f"{TRAN_DE}/c03" in text
    await stage.author.see(f"/bulletins/for-unit?unit={TRAN_DE}", status=403)


async def test_list_is_searched_and_filtered(stage: Stage) -> None:
    await stage.author.call("POST", "/bulletins", draft(title="Tiêm phòng"), status=201)
    await approved(stage.author, stage.approver, draft(title="Họp ấp"))
    assert "Tiêm phòng" in await stage.author.see("/bulletins?words=tiêm")
    text = await stage.author.see("/bulletins?tab=signature")
    assert "Họp ấp" in text
    assert "Tiêm phòng" not in text


async def test_english_by_a_switch(stage: Stage) -> None:
    await stage.author.send("/language", {"language": "en", "onward": "/bulletins"})
    assert "New bulletin" in await stage.author.see("/bulletins")


STREAM = {"content_kind": "stream", "stream_address": "https://radio.vn/vov1.m3u8", "relay_minutes": "30"}


async def test_relay_of_a_web_radio_says_what_is_not_signed(stage: Stage) -> None:
    answer = await compose(stage.author, **STREAM)
    assert answer.status == 200, answer.text
    assert "https://radio.vn/vov1.m3u8" in answer.text
    assert "Chữ ký chỉ bảo đảm địa chỉ" in answer.text
    assert "30 phút" in answer.text


async def test_address_of_a_web_radio_is_kept_while_it_is_wrong(stage: Stage) -> None:
    answer = await compose(stage.author, **STREAM | {"stream_address": "radio.vn/vov 1"})
    assert answer.status == 422
    assert field(answer.text, "stream_address") == "radio.vn/vov 1"
    assert "Hãy ghi đầy đủ địa chỉ của đài" in answer.text


async def test_preview_of_a_wrong_address_does_not_ask_for_a_sound_as_well(stage: Stage) -> None:
    fields = form(kind="now") | STREAM | {"stream_address": "radio.vn/vov 1"}
    answer = await stage.author.send("/bulletins/preview", fields)
    assert "Hãy ghi đầy đủ địa chỉ của đài" in answer.text
    assert "Hãy chọn nội dung" not in answer.text
    answer = await stage.author.send("/bulletins/preview", fields | {"stream_address": "", "relay_minutes": ""})
    assert "Hãy chọn nội dung" in answer.text


async def test_preview_of_a_wrong_day_does_not_ask_for_a_time_as_well(stage: Stage) -> None:
    answer = await stage.author.send("/bulletins/preview", form(kind="once", date="31/02", time="17:00"))
    assert "Hãy chọn giờ phát" not in answer.text


async def test_web_radio_comes_into_the_schedule(stage: Stage) -> None:
    content = {"kind": "stream", "address": "https://radio.vn/vov1", "duration_ms": 1_800_000}
    made = await approved(stage.author, stage.approver, draft(content=content))
    assert made["content"] == content
    answer = await stage.operator.send("/signing/schedule", {"unit": KE_SACH})
    payload = json.loads(base64.b64decode(field(answer.text, "payload")))
    assert payload["items"][0]["content"] == content
    assert "https://radio.vn/vov1" in await stage.author.see(f"/bulletins/new?copy={made['id']}")
