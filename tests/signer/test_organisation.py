"""Grants, denials and assignments: what their pages say, and that they are signed like speech."""

from __future__ import annotations

import asyncio
import json
from base64 import b64encode

import pytest

from protocol import codec
from protocol.authority import authorise
from protocol.clock import DAY_MS, WallMs
from protocol.document import Kind
from protocol.grants import HeldGrant, accept_all, accept_grant
from protocol.keys import SigningKey
from protocol.units import UnitPath
from protocol.verbs import Verb
from provisioning.demo import Ceremony
from signer.app import make_app
from signer.config import SignerConfig
from signer.key_store import KeyStore, read_sealed
from signer.keys import PEN
from signer.signing import PageSigningError, sign_request
from tests.signer import documents, office
from tests.signer.conftest import Controller, Desk, start

pytestmark = pytest.mark.slow

ROOTS = ("anchor-1", "anchor-2")


def lend_anchor_keys(ceremony: Ceremony) -> None:
    """The anchor's holders sit at this machine."""
    for name in ROOTS:
        sealed = read_sealed(ceremony.data / "ceremony" / "keys" / f"{name}.json")
        KeyStore(ceremony.data / "signer" / "keys").put(sealed)


def passphrase(ceremony: Ceremony, name: str) -> str:
    stored = json.loads((ceremony.data / "signer" / "demo.json").read_bytes())["anchor_keys"]
    return next(str(one["passphrase"]) for one in stored if one["name"] == name)


async def sign_as(desk: Desk, name: str, kind: Kind, payload: bytes, envelope: bytes = b"") -> None:
    form = desk.form(kind, payload, envelope=b64encode(envelope).decode())
    await sign_request(desk.session, desk.origin, form, key=name, passphrase=passphrase(desk.ceremony, name))


def held(ceremony: Ceremony) -> dict[str, HeldGrant]:
    return accept_all(ceremony.grants, ceremony.anchor, {})[0]


def committee(ceremony: Ceremony) -> str:
    """The office of the demo's province, which gives the communes theirs."""
    return next(digest for digest, one in held(ceremony).items() if one.grant.depth == 2)


async def test_two_people_of_the_province_renew_a_grant(desk: Desk) -> None:
    stranger = SigningKey.from_seed(b"n" * 32).public
    made = office.grant(
        [desk.ceremony.person("c1").public, stranger],
        verbs=(Verb.SCHEDULE, Verb.ALERT),
        parent=committee(desk.ceremony),
        expires=WallMs(documents.NOW + 180 * DAY_MS),
    )
    payload = codec.encode(made)
    _, page = await desk.open(Kind.GRANT, payload)
    for words in ("Renewal", "Nguyễn Thị Lan", "unknown on this machine", "New", "no longer", "1 day later"):
        assert words in page, words
    assert "signature 1 of 2" in page
    desk.controller.state = "partial"
    await desk.sign(Kind.GRANT, payload, key="p1")
    (half,) = desk.controller.taken
    desk.controller.taken.clear()
    desk.controller.state = "accepted"
    await desk.sign(Kind.GRANT, payload, key="p2", envelope=b64encode(half.pack()).decode())
    (whole,) = desk.controller.taken
    assert accept_grant(whole, desk.ceremony.anchor, held(desk.ceremony)).grant == made


async def test_operator_without_the_verb_grants_nothing(desk: Desk) -> None:
    payload = codec.encode(office.grant([desk.ceremony.person("c1").public]))
    with pytest.raises(PageSigningError, match=r"Không ai|chọn người ký"):
        await desk.sign(Kind.GRANT, payload, key="p1")


async def test_grant_wider_than_its_giver_finds_no_signer(desk: Desk) -> None:
    lend_anchor_keys(desk.ceremony)
    payload = codec.encode(office.grant([desk.ceremony.person("c1").public], scope=UnitPath("vn/93")))
    _, page = await desk.open(Kind.GRANT, payload)
    assert "Nobody whose key lies on this machine may sign this" in page


async def test_grant_with_a_number_that_is_in_force(desk: Desk) -> None:
    made = office.grant([desk.ceremony.person("c1").public], serial=1, parent=committee(desk.ceremony))
    payload = codec.encode(made)
    status, page = await desk.refuse("grant", payload)
    assert status == 400
    assert "number 1 or a later one is in force" in page


async def test_grant_that_lives_too_long_is_pointed_out(desk: Desk) -> None:
    keys = [desk.ceremony.person(name).public for name in ("c1", "c2")]
    made = office.grant(
        keys, expires=WallMs(documents.NOW + 200 * DAY_MS), not_before=WallMs(documents.NOW + 3 * DAY_MS)
    )
    _, page = await desk.open(Kind.GRANT, codec.encode(made))
    for words in ("longer than the usual 90 days", "does not begin before", "Each of these people can act alone"):
        assert words in page


async def test_new_office_is_no_renewal(desk: Desk) -> None:
    _, page = await desk.open(
        Kind.GRANT, codec.encode(office.grant([SigningKey.generate().public], holder="Đài mới"))
    )
    assert "New authority" in page
    assert "Renewal" not in page


async def test_denial_names_what_ends(desk: Desk) -> None:
    lend_anchor_keys(desk.ceremony)
    payload = codec.encode(office.denial())
    _, page = await desk.open(Kind.DENIAL, payload)
    for words in ("Đài truyền thanh xã Long Phú", "Trực khẩn cấp thành phố", "send emergencies to several places"):
        assert words in page
    await sign_as(desk, "anchor-1", Kind.DENIAL, payload)
    await sign_as(desk, "anchor-2", Kind.DENIAL, payload)
    whole = desk.controller.taken[-1]
    found = authorise(whole, anchor=desk.ceremony.anchor, grants=held(desk.ceremony), wall=documents.NOW, denied={})
    assert found.kind is Kind.DENIAL


async def test_denial_that_ends_nothing_says_so(desk: Desk) -> None:
    _, page = await desk.open(Kind.DENIAL, codec.encode(office.denial(holder="Trung tâm khác")))
    assert "No grant that this machine knows ends by it" in page


async def test_assignment_shows_from_where_to_where(desk: Desk) -> None:
    lend_anchor_keys(desk.ceremony)
    payload = codec.encode(office.moved("loa-31498-01", "loa-31498-02", to="vn/92/31507"))
    _, page = await desk.open(Kind.ASSIGNMENT, payload)
    assert "Ấp 1, Xã Long Phú → <strong>vn/92/31507/c01" in page
    counts = page.split("counts-table")[1].split("</table>")[0]
    assert "<th>Xã Long Phú</th><td>9</td><td>7</td>" in counts
    assert "<th>Xã Đại Ngãi</th><td>8</td><td>10</td>" in counts
    await sign_as(desk, "anchor-1", Kind.ASSIGNMENT, payload)
    await sign_as(desk, "anchor-2", Kind.ASSIGNMENT, payload)
    whole = desk.controller.taken[-1]
    authorise(whole, anchor=desk.ceremony.anchor, grants=held(desk.ceremony), wall=documents.NOW, denied={})


async def test_assignment_that_lies_about_the_former_place(desk: Desk) -> None:
    made = office.moved("loa-31498-01", to="vn/92/31507", former=["vn/92/31528/c01"])
    _, page = await desk.open(Kind.ASSIGNMENT, codec.encode(made))
    assert "This machine knew it at another place: Ấp 1, Xã Long Phú" in page
    assert "1 line differs" in page


async def test_assignment_older_than_what_is_known(desk: Desk) -> None:
    made = office.moved("loa-31498-01", to=None, issued=documents.NOW - DAY_MS)
    desk.clock["wall"] -= DAY_MS // 2
    _, page = await desk.open(Kind.ASSIGNMENT, codec.encode(made))
    assert "this one changes nothing" in page
    assert "out of service" in page


async def test_loudspeakers_are_counted_by_words_and_not_by_the_list(desk: Desk) -> None:
    """places.json says one for Ấp 1; nobody signed that it stands anywhere else."""
    _, page = await desk.open(Kind.ALERT, documents.alert())
    assert "9 loudspeakers" in page
    assert "the newest of 23/11/2025" in page
    words = office.signed(
        office.moved("loa-31498-01", to=None, issued=documents.NOW), office.anchor_keys(desk.ceremony)
    )
    folder = desk.ceremony.data / "signer" / "assignments"
    (folder / "second.json").write_bytes(words.pack())
    _, page = await desk.open(Kind.ALERT, documents.alert())
    assert "8 loudspeakers" in page


async def test_place_without_a_word_is_unknown(desk: Desk) -> None:
    _, page = await desk.open(Kind.ALERT, documents.alert(targets=[UnitPath("vn/92/31498/c77")]))
    assert "Number of loudspeakers unknown" in page
    assert "No assignment names a loudspeaker of 1 place" in page
    (desk.ceremony.data / "signer" / "assignments" / "first.json").unlink()
    _, page = await desk.open(Kind.ALERT, documents.alert())
    assert "This machine holds no signed assignment of loudspeakers yet" in page


async def test_what_was_granted_here_counts_here_at_once(desk: Desk) -> None:
    lend_anchor_keys(desk.ceremony)
    made = office.grant([desk.ceremony.person("c2").public], holder="Đài mới")
    desk.controller.state = "partial"
    await sign_as(desk, "anchor-1", Kind.GRANT, codec.encode(made))
    _, page = await desk.open(Kind.STOP, documents.stop())
    assert "Đài mới" not in page
    desk.controller.state = "accepted"
    await sign_as(desk, "anchor-2", Kind.GRANT, codec.encode(made))
    _, page = await desk.open(Kind.STOP, documents.stop())
    assert "Đài mới" in page


async def test_renewal_reaches_the_signer_by_itself(ceremony: Ceremony, controller: Controller) -> None:
    """Nobody presses a button on the ninetieth day."""
    made = office.signed(office.grant([ceremony.person("c1").public], holder="Đài mới"), office.anchor_keys(ceremony))
    controller.authority = [made.pack().decode()]
    config = SignerConfig(ceremony.data / "signer", controller.origin, port=0)
    application = make_app(config, wall=lambda: documents.NOW)
    runner, _origin = await start(application)
    try:
        async with asyncio.timeout(5):
            while made.digest not in application[PEN].store.known().grants:
                await asyncio.sleep(0.01)
    finally:
        await runner.cleanup()
