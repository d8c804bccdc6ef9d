"""Who may speak, on pages and for signers: seen by those whom it concerns, prepared by those who may."""

from __future__ import annotations

import base64
import json
import re
from dataclasses import replace
from hashlib import sha256
from html import unescape

import pytest

from protocol import codec
from protocol.assignment import Placement
from protocol.clock import DAY_MS
from protocol.denial import Denial, Denied, RootWord
from protocol.document import Kind, kind_of
from protocol.envelope import sign, unpack
from protocol.grants import Grant, read_anchor
from protocol.units import UnitPath
from tests.controller.authority.conftest import Province
from tests.controller.running import KE_SACH, PROVINCE, Answer
from tests.controller.signing.authorities import key, post
from tests.controller.signing.chain import OFFICE, OPERATOR, STATION

pytestmark = pytest.mark.slow


def handed(answer: Answer) -> tuple[Kind, bytes]:
    """Kind and payload of the form that leads to the signer."""
    assert answer.status == 200, answer.text
    fields = dict(re.findall(r'name="(\w+)" value="([^"]*)"', answer.text))
    return Kind(fields["kind"]), base64.b64decode(unescape(fields["payload"]))


async def test_tree_in_words(province: Province) -> None:
    page = unescape(await province.commune.see("/authority"))
    for words in (OFFICE, STATION, OPERATOR, "ký lịch phát", "2 trong 2 người cùng ký", "Còn 59 ngày"):
        assert words in page, words
    assert "tran-de" not in page, "another commune's authority is not this commune's affair"
    assert "tran-de" in await province.operator.see("/authority")


async def test_renewal_is_prepared_by_the_grantor(province: Province) -> None:
    station = province.chain.whole()[1]
    kind, payload = handed(await province.operator.send("/authority/renew", {"digest": station.digest}))
    grant = codec.decode(Grant, payload, bytes_max=8192)
    assert (kind, grant.holder, grant.serial) == (Kind.GRANT, STATION, 2)
    [result] = await post(province.stranger, sign(kind, payload, province.chain.office_keys))
    assert result["state"] == "accepted"
    page = unescape(await province.operator.see("/authority"))
    assert "lần thứ 1: đã thay bằng lần trao mới" in page
    refused = await province.commune.send("/authority/renew", {"digest": station.digest})
    assert refused.status == 403


async def test_station_gives_authority_on(province: Province) -> None:
    station = province.chain.whole()[1]
    page = await province.commune.see(f"/authority/new?parent={station.digest}")
    assert "Trao quyền" in page
    form = {
        "parent": station.digest,
        "holder": "Cô Mai",
        "scope": KE_SACH,
        "verb": ["schedule", "stop"],
        "keys": f"\n{key(60).public.upper()}\n",
        "threshold": "1",
        "depth": "0",
        "days": "60",
    }
    wrong = await province.commune.send("/authority/new", form | {"keys": "abc"})
    assert wrong.status == 422
    assert "không phải khóa công khai" in wrong.told
    assert "Cô Mai" in wrong.text, "what was typed stays"
    kind, payload = handed(await province.commune.send("/authority/new", form))
    [result] = await post(province.stranger, sign(kind, payload, [province.chain.station_key]))
    assert result["state"] == "accepted"
    assert "Cô Mai" in await province.commune.see("/authority")


async def test_operator_gives_nothing_on(province: Province) -> None:
    operator = province.chain.whole()[2]
    await province.commune.see(f"/authority/new?parent={operator.digest}", status=409)
    await province.technician.see(f"/authority/new?parent={operator.digest}", status=403)


async def test_ending_an_authority(province: Province) -> None:
    station = province.chain.whole()[1]
    page = unescape(await province.operator.see(f"/authority/end?digest={station.digest}"))
    assert "2 quyền sẽ chấm dứt hẳn" in page
    kind, payload = handed(await province.operator.send("/authority/end", {"digest": station.digest}))
    word = codec.decode(Denial, payload, bytes_max=8192)
    assert (word.holder, word.epoch) == (OFFICE, 1)
    [half] = await post(province.stranger, sign(kind, payload, province.chain.office_keys[:1]))
    assert half["state"] == "partial"
    assert "1 văn bản về quyền còn chờ người khác ký" in unescape(await province.operator.see("/authority"))
    [whole] = await post(province.stranger, sign(kind, payload, province.chain.office_keys))
    assert whole["state"] == "accepted"
    assert "Quyền này đã chấm dứt" in unescape(await province.operator.see(f"/authority/end?digest={station.digest}"))
    assert "đã bị thu hồi" in unescape(await province.commune.see("/authority"))
    kind, payload = handed(await province.operator.send("/authority/renew", {"digest": station.digest}))
    assert codec.decode(Grant, payload, bytes_max=8192).epoch == 1


async def test_only_the_anchor_ends_the_office(province: Province) -> None:
    office = province.chain.whole()[0]
    page = unescape(await province.operator.see(f"/authority/end?digest={office.digest}"))
    assert "chỉ những người giữ khóa gốc" in page
    assert "Đi ký chấm dứt quyền" not in page


async def test_home_warns_those_whom_it_concerns(province: Province) -> None:
    assert "Quyền sắp hết hạn" not in unescape(await province.commune.see("/"))
    province.hands.passed_ms += 57 * DAY_MS
    for person in (province.commune, province.operator, province.technician):
        page = unescape(await person.see("/"))
        assert "Quyền sắp hết hạn" in page
        assert OPERATOR in page


async def test_root_files_that_run_out(province: Province) -> None:
    folder = province.running.config.data / "root" / "metadata"
    folder.mkdir(parents=True)
    (folder / "timestamp.json").write_text('{"signed": {"expires": "2020-01-01T00:00:00Z"}}')
    (folder / "1.root.json").write_text("{")
    page = unescape(await province.operator.see("/authority"))
    assert "dấu thời gian của bản cập nhật" in page
    assert "Tệp bị hỏng" in page
    assert "dấu thời gian" not in unescape(await province.commune.see("/authority"))


def publish(province: Province, name: str, data: bytes) -> None:
    """One more file of the root, as the newest list names it."""
    folder, digest = province.running.config.data / "root", sha256(data).hexdigest()
    for part in ("metadata", "targets"):
        (folder / part).mkdir(parents=True, exist_ok=True)
    (folder / "targets" / f"{digest}.{name}").write_bytes(data)
    signed = {"expires": "2999-01-01T00:00:00Z", "targets": {name: {"hashes": {"sha256": digest}}}}
    (folder / "metadata" / "1.targets.json").write_text(json.dumps({"signed": signed}))


async def test_root_denies_here_too(province: Province) -> None:
    office, station, _ = province.chain.whole()
    publish(province, "root-word.json", codec.encode(RootWord(1, (Denied(PROVINCE, OFFICE, 1),))))
    [known, fresh] = await post(province.stranger, station, province.chain.station(office, serial=2))
    assert (known["refusal"], fresh["refusal"]) == ("grant_denied", "grant_denied")
    page = unescape(await province.operator.see("/authority"))
    assert "Đã thu hồi qua bản cập nhật" in page and "mọi quyền dưới kỳ 1" in page and "Tệp bị hỏng" not in page
    again = province.chain.station(office, serial=3, epoch=1)
    assert [one["state"] for one in await post(province.stranger, again)] == ["accepted"]


async def test_damaged_word_of_the_root_is_told(province: Province) -> None:
    publish(province, "root-word.json", b"{")
    page = unescape(await province.operator.see("/authority"))
    assert "văn bản thu hồi của bản cập nhật" in page and "Tệp bị hỏng" in page
    assert "văn bản thu hồi" in unescape(await province.operator.see("/"))
    office = province.chain.whole()[0]
    assert [one["state"] for one in await post(province.stranger, office)] == ["accepted"]


async def test_root_publishes_another_anchor(province: Province) -> None:
    pinned = (province.running.config.data / "anchor.json").read_bytes()
    publish(province, "anchor.json", pinned)
    assert "công bố một khóa gốc khác" not in unescape(await province.operator.see("/authority"))
    other = codec.encode(replace(read_anchor(pinned), threshold=3))
    publish(province, "anchor.json", other)
    page = unescape(await province.operator.see("/authority"))
    assert "công bố một khóa gốc khác" in page and sha256(other).hexdigest() in page
    assert "công bố một khóa gốc khác" in unescape(await province.operator.see("/"))
    assert "công bố một khóa gốc khác" not in unescape(await province.commune.see("/authority"))
    (province.running.config.data / "anchor.json").write_bytes(other)
    assert "công bố một khóa gốc khác" not in unescape(await province.operator.see("/authority"))


async def test_signers_are_told_without_sign_in(province: Province) -> None:
    place = UnitPath(f"{KE_SACH}/c01")
    word = province.chain.word(Placement("vn-92-31528-c01", place))
    await post(province.stranger, word, province.chain.denial())
    answer = await province.stranger.call("GET", "/authority")
    found = [unpack(one.encode()) for one in answer["envelopes"]]
    kinds = [kind_of(one) for one in found]
    assert kinds == sorted(kinds, key=[Kind.GRANT, Kind.DENIAL, Kind.ASSIGNMENT].index)
    digests = [one.digest for one in found]
    assert word.digest in digests
    assert province.chain.whole()[0].digest in digests
    assert province.chain.whole()[1].digest not in digests, "it was denied"


async def test_whoever_has_it_is_only_told_so(province: Province) -> None:
    session = province.stranger.session
    async with session.get("/api/v1/authority") as answer:
        name = answer.headers["ETag"]
    async with session.get("/api/v1/authority", headers={"If-None-Match": name}) as answer:
        assert answer.status == 304
    for _ in range(80):
        async with session.get("/api/v1/authority") as answer:
            if answer.status == 429:
                return
    raise AssertionError("nobody was asked to wait")
