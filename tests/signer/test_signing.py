"""From the hand-over to the controller's answer, through the pages a person sees."""

import asyncio
import json
from base64 import b64encode

import pytest

from protocol.alert import Alert, Cancel
from protocol.document import Kind, kind_of, read
from protocol.envelope import sign
from protocol.keys import SigningKey
from signer.key_store import KeyStore, seal, unseal
from signer.signed_log import SignedLog
from signer.signing import PageSigningError
from tests.signer import documents
from tests.signer.conftest import Desk

WIDE = (documents.COMMUNE, documents.OTHER)


async def test_schedule_is_signed_and_handed_back(desk: Desk) -> None:
    payload = documents.schedule(documents.programme("a"), documents.relay("b"))
    back = await desk.sign(Kind.SCHEDULE, payload)
    assert back == f"{desk.controller.origin}/bulletins/7"
    (taken,) = desk.controller.taken
    assert taken.payload == payload
    assert taken.signers([desk.ceremony.person("c1").public]) == {desk.ceremony.person("c1").public}


@pytest.mark.parametrize("kind", [Kind.ALERT, Kind.ALERT_DRILL, Kind.ALERT_TEST])
async def test_alert_brings_its_cancel(desk: Desk, kind: Kind) -> None:
    payload = documents.alert()
    await desk.sign(kind, payload)
    alert, cancel = desk.controller.taken
    assert [kind_of(one) for one in (alert, cancel)] == [kind, Kind.CANCEL]
    assert alert.payload == payload
    said, taken_back = read(alert), read(cancel)
    assert isinstance(said, Alert)
    assert isinstance(taken_back, Cancel)
    assert (taken_back.alert_id, taken_back.targets, taken_back.expires) == (said.id, said.targets, said.expires)
    assert cancel.signers([desk.ceremony.person("c1").public])


async def test_second_person_completes_alert_and_cancel(desk: Desk) -> None:
    payload = documents.alert(scope=documents.PROVINCE, targets=WIDE)
    desk.controller.state = "partial"
    await desk.sign(Kind.ALERT, payload, key="p1")
    first, _ = desk.controller.taken
    _, page = await desk.open(Kind.ALERT, payload, **envelope_field(first.pack()))
    assert "Trần Thu Hà has signed" in page
    assert "signature 2 of 2" in page
    desk.controller.taken.clear()
    await desk.sign(Kind.ALERT, payload, key="p2", **envelope_field(first.pack()))
    both = {desk.ceremony.person(key).public for key in ("p1", "p2")}
    assert [one.signers(both) for one in desk.controller.taken] == [both, both]


async def test_second_person_on_another_machine_signs_the_same_cancel(desk: Desk) -> None:
    """Its signer never saw the first signature of the cancel; the bytes are the same all the same."""
    payload = documents.alert(scope=documents.PROVINCE, targets=WIDE)
    await desk.sign(Kind.ALERT, payload, key="p2")
    digest = desk.controller.taken[1].digest
    desk.controller.taken.clear()
    (desk.ceremony.data / "signer" / "signed" / "envelopes" / f"{digest}.json").unlink()
    await desk.sign(Kind.ALERT, payload, key="p1")
    assert desk.controller.taken[1].digest == digest


async def test_partly_signed_cancel_is_kept(desk: Desk) -> None:
    payload = documents.alert(scope=documents.PROVINCE, targets=WIDE)
    await desk.sign(Kind.ALERT, payload, key="p1")
    alert, cancel = desk.controller.taken
    fields = envelope_field(alert.pack()) | {"cancel": envelope_field(cancel.pack())["envelope"]}
    (desk.ceremony.data / "signer" / "signed" / "envelopes" / f"{cancel.digest}.json").unlink()
    desk.controller.taken.clear()
    await desk.sign(Kind.ALERT, payload, key="p2", **fields)
    assert len(desk.controller.taken[1].signatures) == 2


def envelope_field(packed: bytes) -> dict[str, str]:
    return {"envelope": b64encode(packed).decode()}


async def test_everything_signed_is_on_the_log(desk: Desk) -> None:
    await desk.sign(Kind.ALERT, documents.alert())
    rows = desk.log()
    assert [(row["kind"], row.get("number"), row["holder"]) for row in rows] == [
        ("alert", 1, "Nguyễn Thị Lan"),
        ("cancel", None, "Nguyễn Thị Lan"),
    ]
    passphrase = desk.ceremony.person("c1").passphrase
    files = [path for path in (desk.ceremony.data / "signer" / "signed").rglob("*") if path.is_file()]
    assert all(passphrase not in path.read_text() for path in files)
    assert all(path.stat().st_mode & 0o077 == 0 for path in files)


async def test_wrong_passphrase_signs_nothing(desk: Desk) -> None:
    address, page = await desk.open(Kind.STOP, documents.stop())
    fields = {"token": token(page), "key": "c1", "passphrase": "sai-mat-khau"}
    async with desk.session.post(f"{address}/sign", data=fields) as answer:
        text = await answer.text()
        assert answer.status == 403
    assert "The passphrase is not right" in text
    assert 'value="c1" required checked' in text
    assert not desk.controller.taken
    assert not desk.log()


def token(page: str) -> str:
    return page.split('name="token" value="')[1].split('"')[0]


async def test_guessing_is_slowed_down(desk: Desk) -> None:
    address, page = await desk.open(Kind.STOP, documents.stop())
    fields = {"token": token(page), "key": "c1", "passphrase": "sai"}
    for _ in range(5):
        async with desk.session.post(f"{address}/sign", data=fields) as answer:
            assert answer.status == 403
    right = fields | {"passphrase": desk.ceremony.person("c1").passphrase}
    async with desk.session.post(f"{address}/sign", data=right) as answer:
        assert answer.status == 429
    desk.clock["mono"] += 5 * 60_000
    async with desk.session.post(f"{address}/sign", data=right, allow_redirects=False) as answer:
        assert answer.status == 303


async def test_passphrase_may_be_typed_with_decomposed_letters(desk: Desk) -> None:
    """Two keyboards spell one Vietnamese letter in two ways."""
    key = SigningKey.generate()
    sealed = seal(key, name="x", holder="X", passphrase="lúa chín vàng", cost=2)
    assert unseal(sealed, "lu\u0301a chi\u0301n va\u0300ng ").public == key.public
    assert KeyStore(desk.ceremony.data / "nowhere").all() == ()


async def test_double_click_signs_once(desk: Desk) -> None:
    address, page = await desk.open(Kind.STOP, documents.stop())
    fields = {"token": token(page), "key": "c1", "passphrase": desk.ceremony.person("c1").passphrase}

    async def click() -> tuple[int, str]:
        async with desk.session.post(f"{address}/sign", data=fields, allow_redirects=False) as answer:
            return answer.status, answer.headers.get("Location", "")

    back = (303, f"{desk.controller.origin}/bulletins/7")
    assert list(await asyncio.gather(click(), click())) == [back, back]
    assert len(desk.controller.taken) == 1
    assert len(desk.log()) == 1
    async with desk.session.get(address, allow_redirects=False) as answer:
        assert answer.status == 303


async def test_controller_away_keeps_the_signature(desk: Desk) -> None:
    desk.controller.away = True
    address, page = await desk.open(Kind.STOP, documents.stop())
    fields = {"token": token(page), "key": "c1", "passphrase": desk.ceremony.person("c1").passphrase}
    async with desk.session.post(f"{address}/sign", data=fields) as answer:
        assert answer.status == 502
        assert "cannot be reached" in await answer.text()
    desk.clock["mono"] += 3_600_000
    async with desk.session.get(f"{address}/envelopes.json") as answer:
        saved = json.loads(await answer.read())
        assert "attachment" in answer.headers["Content-Disposition"]
    assert "Signed, not yet sent" in await desk.read(address)
    desk.controller.away = False
    async with desk.session.post(f"{address}/send", data={"token": fields["token"]}, allow_redirects=False) as answer:
        assert answer.status == 303
    assert [one.pack().decode() for one in desk.controller.taken] == saved["envelopes"]


async def test_controller_that_refuses_is_quoted(desk: Desk) -> None:
    desk.controller.state = "refused"
    with pytest.raises(PageSigningError, match="Trung tâm từ chối"):
        await desk.sign(Kind.STOP, documents.stop())


async def test_without_a_page_to_return_to(desk: Desk) -> None:
    desk.controller.state = "partial"
    address, page = await desk.open(Kind.STOP, documents.stop(), return_url="")
    fields = {"token": token(page), "key": "c1", "passphrase": desk.ceremony.person("c1").passphrase}
    async with desk.session.post(f"{address}/sign", data=fields) as answer:
        text = await answer.text()
    assert "Signed and sent" in text
    assert "waits for the next signature" in text


async def test_version_is_signed_once(desk: Desk) -> None:
    await desk.sign(Kind.SCHEDULE, documents.schedule(documents.relay("a"), version=5))
    await desk.sign(Kind.SCHEDULE, documents.schedule(documents.relay("a"), version=5))
    status, page = await desk.refuse("schedule", documents.schedule(documents.relay("b"), version=5))
    assert status == 400
    assert "Number 5 was already signed" in page
    _, page = await desk.refuse("schedule", documents.schedule(documents.relay("b"), version=4))
    assert "Version 5 was already signed" in page


async def test_number_is_signed_once_for_whatever_acts_at_once(desk: Desk) -> None:
    await desk.sign(Kind.STOP, documents.stop())
    _, page = await desk.refuse("alert", documents.alert(sequence=7))
    assert "Number 7 was already signed" in page


async def test_signed_numbers_outlive_a_restart(desk: Desk) -> None:
    await desk.sign(Kind.SCHEDULE, documents.schedule(documents.relay("a"), version=5))
    path = desk.ceremony.data / "signer" / "signed"
    with (path / "log.jsonl").open("a") as log:
        log.write('{"wall": 17640000')  # the power went
    again = SignedLog(path)
    entry = again.newest(Kind.SCHEDULE, documents.COMMUNE)
    assert entry is not None
    assert entry.number == 5
    assert again.last_document(Kind.SCHEDULE, documents.COMMUNE) is not None
    assert again.envelope("0" * 64) is None


async def test_page_left_open_too_long_signs_nothing(desk: Desk) -> None:
    address, page = await desk.open(Kind.STOP, documents.stop())
    fields = {"token": token(page), "key": "c1", "passphrase": desk.ceremony.person("c1").passphrase}
    desk.clock["wall"] += 6 * 60_000
    async with desk.session.post(f"{address}/sign", data=fields) as answer:
        assert "prepared too long ago" in await answer.text()
    desk.clock["mono"] += 16 * 60_000
    async with desk.session.get(address) as answer:
        assert answer.status == 404
    assert not desk.log()


async def test_stranger_to_the_unit_is_not_offered(desk: Desk) -> None:
    _, page = await desk.open(Kind.SCHEDULE, documents.schedule(documents.relay("a")))
    assert 'value="c1"' in page
    assert 'value="c2"' not in page
    payload = documents.schedule(documents.relay("a"))
    with pytest.raises(PageSigningError, match="choose who signs"):
        await desk.sign(Kind.SCHEDULE, payload, key="c2")


async def test_nobody_here_may_sign(desk: Desk) -> None:
    for path in (desk.ceremony.data / "signer" / "keys").glob("*.json"):
        path.unlink()
    _, page = await desk.open(Kind.STOP, documents.stop())
    assert "Nobody whose key lies on this machine may sign this" in page
    assert 'type="password"' not in page


async def test_envelope_with_another_document_is_refused(desk: Desk) -> None:
    other = sign(Kind.STOP, b"{}", [SigningKey.generate()])
    status, page = await desk.refuse("stop", documents.stop(), **envelope_field(other.pack()))
    assert status == 400
    assert "belong to another document" in page
