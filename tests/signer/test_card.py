"""Keys on a card, from making one to a signature that devices accept."""

from __future__ import annotations

import re
import threading
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import pkcs11
import pytest
from pkcs11 import Attribute, ObjectClass, TokenFlag
from typer.testing import CliRunner

from protocol import codec
from protocol.authority import authorise
from protocol.clock import DAY_MS, WallMs
from protocol.document import Kind
from protocol.envelope import sign
from protocol.errors import DocumentError
from protocol.grants import ANCHOR_ID, Anchor, Grant, accept_grant
from protocol.keys import SigningKey, verify
from protocol.verbs import Verb
from provisioning.cli import app
from signer.app import make_app
from signer.card import CardSlot
from signer.card_keys import CardKeys, make_card_key, pin_notice, public_half
from signer.card_line import CardLine, card_line
from signer.config import SignerConfig
from signer.errors import CardError, WrongPassphraseError
from signer.key_ring import HeldKey, KeyRing, Look, Means
from signer.signing import HandOver
from tests.signer import documents
from tests.signer.card import LABEL, PIN, Token, make_token
from tests.signer.conftest import Controller, start

ROOT = SigningKey.from_seed(b"r" * 32)
HOLDER = "Nguyễn Thị Lan"


@pytest.fixture(scope="session")
def shared_token(tmp_path_factory: pytest.TempPathFactory) -> Token:
    return make_token(tmp_path_factory.mktemp("card"))


@pytest.fixture(scope="session")
def public(shared_token: Token) -> str:
    return make_card_key(shared_token.slot, pin=PIN, name="c1", holder=HOLDER)


@pytest.fixture
def token(shared_token: Token, public: str) -> Iterator[Token]:
    assert public
    yield shared_token
    shared_token.put_in()


@dataclass
class Office:
    """A running signer with one card, and what devices would check by."""

    origin: str
    session: aiohttp.ClientSession
    controller: Controller
    anchor: Anchor
    grant: Grant
    clock: dict[str, int]

    async def open(self, kind: Kind, payload: bytes) -> tuple[str, str]:
        form = HandOver(self.controller.origin, kind, payload, f"{self.controller.origin}/x").form()
        async with self.session.post(f"{self.origin}/review", data=form) as answer:
            return str(answer.url), await answer.text()

    async def sign(self, address: str, page: str, pin: str) -> tuple[int, str]:
        token = page.split('name="token" value="')[1].split('"')[0]
        name = page.split('name="key" value="')[1].split('"')[0]
        fields = {"token": token, "key": name, "passphrase": pin}
        async with self.session.post(f"{address}/sign", data=fields, allow_redirects=False) as answer:
            return answer.status, await answer.text()


@pytest.fixture
async def office(token: Token, public: str, controller: Controller, tmp_path: Path) -> AsyncIterator[Office]:
    anchor = Anchor(documents.PROVINCE, (ROOT.public,), 1, ())
    ends = WallMs(documents.NOW + 60 * DAY_MS)
    verbs = (Verb.STOP, Verb.ALERT)
    begins = WallMs(documents.NOW - 1)
    grant = Grant(documents.COMMUNE, "Đài xã", verbs, (public,), 1, 0, begins, ends, 0, 1, ANCHOR_ID)
    (tmp_path / "anchor.json").write_bytes(codec.encode(anchor))
    (tmp_path / "grants").mkdir()
    (tmp_path / "grants" / "c1.json").write_bytes(sign(Kind.GRANT, codec.encode(grant), [ROOT]).pack())
    clock = {"mono": 0}
    config = SignerConfig(tmp_path, controller.origin, port=0, cards=(token.slot,))
    runner, origin = await start(make_app(config, wall=lambda: documents.NOW, mono=lambda: clock["mono"]))  # type: ignore[arg-type,return-value]
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as session:
        async with session.get(f"{origin}/?lang=en"):
            pass
        yield Office(origin, session, controller, anchor, grant, clock)
    await runner.cleanup()


async def test_card_signs_what_devices_accept(office: Office) -> None:
    address, page = await office.open(Kind.ALERT, documents.alert())
    assert HOLDER in page
    assert f"card “{LABEL}”" in page
    assert "PIN of the card" in page
    assert (await office.sign(address, page, PIN))[0] == 303
    alert, cancel = office.controller.taken
    given = accept_grant(sign(Kind.GRANT, codec.encode(office.grant), [ROOT]), office.anchor, {})
    for one in (alert, cancel):
        found = authorise(one, anchor=office.anchor, grants={given.digest: given}, wall=documents.NOW, denied={})
        assert found.holder == "Đài xã"


async def test_wrong_pin_is_counted_and_paused_before_the_card_locks(office: Office) -> None:
    address, page = await office.open(Kind.STOP, documents.stop())
    status, text = await office.sign(address, page, "000000")
    assert status == 403
    assert "The PIN is not right" in text
    assert "A wrong PIN was entered on this card" in text
    assert "1 try left" in text
    await office.sign(address, page, "000000")
    status, text = await office.sign(address, page, PIN)
    assert status == 429
    assert "So that the card does not lock itself" in text
    office.clock["mono"] += 5 * 60_000
    assert (await office.sign(address, page, PIN))[0] == 303


async def test_card_pulled_while_the_page_is_open(office: Office, token: Token) -> None:
    address, page = await office.open(Kind.STOP, documents.stop())
    token.take_out()
    for _again in range(3):
        status, text = await office.sign(address, page, PIN)
        assert status == 409
        assert f"The card “{LABEL}” is not in the reader" in text
    assert not office.controller.taken
    token.put_in()
    assert (await office.sign(address, page, PIN))[0] == 303


async def test_login_ends_with_the_signature(token: Token) -> None:
    keys = CardKeys(token.slot)
    key = (await keys.look()).keys[0]
    (signature,) = await keys.sign(key, PIN, [b"xin chao"])
    assert verify(key.public, signature, b"xin chao")
    with pkcs11.lib(token.slot.module).get_token(token_label=LABEL).open() as session:
        assert [*session.get_objects({Attribute.CLASS: ObjectClass.PRIVATE_KEY})] == []


async def test_private_half_never_leaves_the_card(token: Token) -> None:
    with pkcs11.lib(token.slot.module).get_token(token_label=LABEL).open(user_pin=PIN) as session:
        private = next(iter(session.get_objects({Attribute.CLASS: ObjectClass.PRIVATE_KEY})))
        assert private[Attribute.SENSITIVE]
        assert not private[Attribute.EXTRACTABLE]
        with pytest.raises(pkcs11.exceptions.AttributeSensitive):
            assert private[Attribute.VALUE]


async def test_name_on_the_card_is_taken_once(token: Token) -> None:
    with pytest.raises(CardError):
        make_card_key(token.slot, pin=PIN, name="c1", holder="Người khác")
    with pytest.raises(WrongPassphraseError):
        make_card_key(token.slot, pin="000000", name="c9", holder="X")


async def test_module_that_is_not_there(tmp_path: Path) -> None:

    look = await CardKeys(CardSlot(str(tmp_path / "none.so"), "x")).look()
    assert look.keys == ()
    assert "none.so" in look.problem


def test_card_tells_of_its_own_counter() -> None:
    assert pin_notice(TokenFlag.TOKEN_INITIALIZED) == ""
    words = [pin_notice(flag) for flag in (TokenFlag.USER_PIN_COUNT_LOW, TokenFlag.USER_PIN_FINAL_TRY)]
    locked = pin_notice(TokenFlag.USER_PIN_LOCKED | TokenFlag.USER_PIN_FINAL_TRY)
    assert len({*words, locked, ""}) == 4


def test_public_half_in_both_wrappings(public: str) -> None:
    raw = bytes.fromhex(public)
    assert public_half(raw) == public_half(b"\x04\x20" + raw) == public
    for wrong in (b"", raw[:-1], b"\x04\x21" + raw, bytes(32)):
        with pytest.raises(DocumentError):
            public_half(wrong)


class LyingCard:
    async def look(self) -> Look:
        return Look((HeldKey("card-1", "X", ROOT.public, Means.CARD, "x"),))

    async def sign(self, key: HeldKey, secret: str, messages: object) -> tuple[bytes, ...]:
        return (b"s" * 64,)


async def test_signature_that_does_not_hold_is_none() -> None:
    ring = KeyRing([LyingCard()])
    (key,) = (await ring.look()).keys
    with pytest.raises(Exception, match=r"does not hold|không đúng"):
        await ring.sign(key, PIN, [b"x"])


@pytest.mark.slow
def test_technician_makes_a_key_on_the_card(token: Token) -> None:
    words = ["keys", "make", "c2", "--holder", "Trần Văn Út", "--pkcs11", token.slot.module, "--token", LABEL]
    done = CliRunner().invoke(app, words, input=f"{PIN}\n", env={"LOALANG_LANG": "en"})
    assert done.exit_code == 0, done.output
    assert re.search("Its public half: [0-9a-f]{64}", done.output)
    again = CliRunner().invoke(app, words, input=f"{PIN}\n", env={"LOALANG_LANG": "en"})
    assert again.exit_code == 1


async def test_reader_that_hangs_holds_up_nobody_for_long(token: Token) -> None:
    line = card_line(token.slot.module)
    hanging = threading.Event()
    with pytest.raises(CardError):
        await line.call(lambda _library: hanging.wait(5), within_s=0.02)
    hanging.set()
    assert (await CardKeys(token.slot).look()).keys


@pytest.mark.parametrize(
    "error", [pkcs11.exceptions.PinLocked, pkcs11.exceptions.PinExpired, pkcs11.exceptions.DeviceError]
)
async def test_each_failure_of_a_card_says_what_to_do(token: Token, error: type[Exception]) -> None:
    keys = CardKeys(token.slot)
    before = (await keys.look()).keys

    class Failing(CardLine):
        async def call(self, act: object, *, within_s: float = 1) -> object:  # type: ignore[override]
            raise error

    keys._line = Failing(token.slot.module)
    with pytest.raises(CardError) as told:
        await keys.sign(before[0], PIN, [b"x"])
    assert str(told.value)
    look = await keys.look()
    assert look.problem == str(told.value)
    assert [one.present for one in look.keys] == [False] * len(before)
