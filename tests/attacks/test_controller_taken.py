"""Somebody has a shell on the controller: database, disk, keys and broker are his. The village stays silent."""

from __future__ import annotations

import asyncio
import dataclasses
import hashlib
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from controller.app import present
from controller.library.storage import DigestStorage
from controller.signing.freshness import open_key
from controller.signing.keys import AUTHORITY
from edge.core.output import Rung
from edge.core.state import AgentState
from protocol import codec
from protocol.bulletin import MediaRef
from protocol.clock import DAY_MS, WallMs
from protocol.document import Kind
from protocol.envelope import Envelope, sign
from protocol.errors import Refusal
from protocol.freshness import Head
from protocol.grants import ANCHOR_ID, Grant
from protocol.keys import SigningKey
from protocol.parcel import pack_parcel
from protocol.report import FaultCode
from protocol.topics import DOC, unit_topic
from protocol.units import UnitPath
from protocol.verbs import Verb
from simulators.encoder import encode
from simulators.melody import melody
from tests.attacks.town import Town, open_town
from tests.component import need
from tests.contracts.broker import MOSQUITTO
from tests.controller.running import KE_SACH, PROVINCE, TRAN_DE
from tests.controller.signing.authorities import post

REAL_TIME = True
pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="module")]
THIEF = SigningKey.from_seed(b"t" * 32)
NOBODY = MediaRef("ab" * 32, 100_000, 20_000)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def town(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Town]:
    """One controller that stays taken through all of these: each attack finds the device as it was before."""
    need(MOSQUITTO is not None and shutil.which("mosquitto_pub") is not None, "mosquitto")
    async with open_town(tmp_path_factory.mktemp("town")) as made:
        yield made


@pytest.fixture
def began() -> float:
    """When the attack begins."""
    return float(present())


def believed(state: AgentState) -> tuple[object, ...]:
    """What decides what may sound."""
    return state.identity.anchor, state.identity.place, frozenset(state.trust.grants), state.trust.denied


def swapped(envelope: Envelope, old: bytes, new: bytes) -> Envelope:
    """Another payload under the same signatures."""
    assert old in envelope.payload
    return dataclasses.replace(envelope, payload=envelope.payload.replace(old, new))


async def test_no_attack(town: Town) -> None:
    """no attack at all — a true emergency by the controller's own door is heard, so silence below means something."""
    await town.alarm_is_heard()


async def test_payload_in_the_database(town: Town, began: float) -> None:
    """a schedule's payload changed in its row of the database — the signature is over the bytes."""
    true = town.sign(Kind.SCHEDULE, town.schedule(town.item(NOBODY, in_ms=60_000)))
    await town.hand_in(true)
    forged = swapped(true, NOBODY.digest.encode(), b"cd" * 32)
    statement = "UPDATE documents SET envelope = ?, published_ms = NULL WHERE digest = ?"
    await town.by_hand(statement, forged.pack(), true.digest)
    await town.refused(forged.digest, Refusal.BAD_SIGNATURE, began=began)
    await town.by_hand(statement, true.pack(), true.digest)


async def test_partly_signed_put_in_force(town: Town, began: float) -> None:
    """a province alert that one of two has signed, its state changed in the database — the device counts signers."""
    half = sign(Kind.ALERT, codec.encode(town.alert(PROVINCE)), town.ceremony.province[:1])
    await town.hand_in(half, state="partial")
    await town.by_hand("UPDATE documents SET state = 'in_force' WHERE digest = ?", half.digest)
    await town.refused(half.digest, Refusal.THRESHOLD_NOT_MET, Refusal.VERB_NOT_GRANTED, began=began)
    await town.by_hand("DELETE FROM documents WHERE digest = ?", half.digest)


async def test_scope_in_the_database(town: Town, began: float) -> None:
    """the neighbour's true schedule, filed under this commune in the database — the scope is signed."""
    neighbours = town.schedule(town.item(NOBODY, unit=TRAN_DE), unit=TRAN_DE)
    true = town.sign(Kind.SCHEDULE, neighbours, town.ceremony.tran_de)
    await town.hand_in(true)
    await town.by_hand("UPDATE documents SET scope = ?, published_ms = NULL WHERE digest = ?", KE_SACH, true.digest)
    await town.refused(true.digest, Refusal.UNKNOWN_KEY, Refusal.OUT_OF_SCOPE, began=began)
    await town.by_hand("DELETE FROM documents WHERE digest = ?", true.digest)


async def test_older_version_put_in_force(town: Town, began: float) -> None:
    """yesterday's schedule put in force again in the database — versions only grow on the device."""
    older = town.sign(Kind.SCHEDULE, town.schedule(town.item(NOBODY, in_ms=90_000)))
    newer = town.sign(Kind.SCHEDULE, town.schedule())
    await town.hand_in(older)
    await town.hand_in(newer)
    await town.ours.wait_state(lambda state: _holds(state, newer), within_s=10)
    statement = "UPDATE documents SET state = ?, published_ms = NULL WHERE digest = ?"
    await town.by_hand(statement, "superseded", newer.digest)
    await town.by_hand(statement, "in_force", older.digest)
    await town.refused(older.digest, Refusal.OLDER_VERSION, began=began)
    assert _holds(town.state(), newer)
    await town.by_hand(statement, "superseded", older.digest)
    await town.by_hand(statement, "in_force", newer.digest)


def _holds(state: AgentState, envelope: Envelope) -> bool:
    return any(one.digest == envelope.digest for one in state.trust.documents.values())


def forged_grant(town: Town, *keys: SigningKey) -> Envelope:
    """The thief gives himself everything."""
    now = present()
    made = Grant(
        scope=PROVINCE,
        holder="kẻ trộm",
        verbs=(Verb.SCHEDULE, Verb.CONFIGURE, Verb.ALERT, Verb.ALERT_WIDE, Verb.STOP),
        keys=(THIEF.public,),
        threshold=1,
        depth=0,
        not_before=WallMs(now - 60_000),
        expires=WallMs(now + 90 * DAY_MS),
        epoch=0,
        serial=town.next(),
        parent=ANCHOR_ID,
    )
    return sign(Kind.GRANT, codec.encode(made), keys or (THIEF,))


async def test_grant_inserted(town: Town, began: float) -> None:
    """a grant of his own and an alert under it, inserted into the database — a grant ends at the pinned anchor."""
    before, evil = believed(town.state()), town.sign(Kind.ALERT, town.alert(), THIEF)
    grant = forged_grant(town)
    await town.insert(grant, scope=PROVINCE, holder="kẻ trộm", expires_ms=None)
    await town.insert(evil)
    await town.refused(evil.digest, Refusal.UNKNOWN_KEY, began=began)
    assert believed(town.state()) == before
    await town.by_hand("DELETE FROM documents WHERE digest IN (?, ?)", grant.digest, evil.digest)


async def test_anchor_of_the_controller_replaced(town: Town, began: float) -> None:
    """the controller's own anchor file replaced, for the thief's — devices have theirs from enrolment."""
    before, path = believed(town.state()), town.data / "anchor.json"
    true = path.read_bytes()
    anchor = town.running.app[AUTHORITY].anchor()
    path.write_bytes(codec.encode(dataclasses.replace(anchor, keys=(THIEF.public,), threshold=1)))
    evil = town.sign(Kind.ALERT, town.alert(), THIEF)
    try:
        await town.hand_in(forged_grant(town), evil)
        await town.refused(evil.digest, Refusal.UNKNOWN_KEY, began=began)
        assert believed(town.state()) == before
    finally:
        path.write_bytes(true)
        await town.by_hand("DELETE FROM documents WHERE holder = ? OR digest = ?", "kẻ trộm", evil.digest)
        town.running.app[AUTHORITY].forget_grants()


async def test_place_in_the_database(town: Town, began: float) -> None:
    """the device filed at the neighbour's in the database, and an alert there — it knows its place by itself."""
    statement = "UPDATE devices SET place = ? WHERE id = ?"
    name = town.ours.device
    await town.by_hand(statement, f"{TRAN_DE}/c09", name)
    only_there = town.alert(TRAN_DE, targets=(UnitPath(f"{TRAN_DE}/c09"),))
    await town.hand_in(town.sign(Kind.ALERT, only_there, town.ceremony.tran_de))
    await town.silent(began)
    assert town.state().identity.place == f"{KE_SACH}/c01"
    await town.alarm_is_heard()
    await town.by_hand(statement, f"{KE_SACH}/c01", name)
    await town.by_hand("UPDATE documents SET state = 'ended' WHERE kind = 'alert'")


async def test_medium_on_the_disk(town: Town, tmp_path: Path, began: float) -> None:
    """a medium swapped on the controller's disk — it is addressed by its digest; the true one is heard afterwards."""
    melodies = (melody(31, duration_ms=6000), melody(99, duration_ms=6000))
    true, evil = (encode(one, tmp_path / f"{at}.opus").read_bytes() for at, one in enumerate(melodies))
    media = MediaRef(hashlib.sha256(true).hexdigest(), len(true), 6000)
    path = DigestStorage(town.data / "media").path(media.digest)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes((evil + bytes(len(true)))[: len(true)])
    await town.hand_in(town.sign(Kind.SCHEDULE, town.schedule(town.item(media, in_ms=2000))))
    await town.ours.wait_state(lambda state: media.digest in state.fetching, within_s=10)
    await asyncio.sleep(3)
    await town.silent(began)
    assert media.digest not in town.state().media
    device = await town.auditor.call("GET", f"/devices/{town.ours.device}")
    assert {FaultCode.MEDIA_DAMAGED, FaultCode.MEDIA_MISSING} & set(device["faults"]), device
    path.write_bytes(true)
    await town.hand_in(town.sign(Kind.SCHEDULE, town.schedule(town.item(media, in_ms=60_000))))
    await town.ours.wait_state(lambda state: media.digest in state.media, within_s=60)
    again, at = town.item(media, in_ms=2500), present()
    await town.hand_in(town.sign(Kind.SCHEDULE, town.schedule(again)))
    await town.heard(melodies[0][: 6 * 72_000], at, within_s=20)
    await town.quiet()


async def test_freshness_key_stolen(town: Town, began: float) -> None:
    """a schedule, an alert and a head of next year under the stolen freshness key — it answers for the time only."""
    key = open_key(town.data)
    alert = town.sign(Kind.ALERT, town.alert(), key)
    schedule = town.sign(Kind.SCHEDULE, town.schedule(town.item(NOBODY)), key)
    later = sign(Kind.HEAD, codec.encode(Head(KE_SACH, WallMs(present() + 365 * DAY_MS), ())), [key])
    await town.mosquitto_pub(town.alert_topic(), alert.pack())
    await town.mosquitto_pub(unit_topic(KE_SACH, DOC), pack_parcel(KE_SACH, (schedule, later)))
    for envelope in (alert, schedule):
        await town.refused(envelope.digest, Refusal.UNKNOWN_KEY, began=began)
    await town.refused(later.digest, Refusal.NOT_YET_VALID, began=began)


async def test_alert_published_by_hand(town: Town, began: float) -> None:
    """an alert of the thief's, a changed one and one without a signature, by mosquitto_pub — none of them sounds."""
    changed = swapped(town.sign(Kind.ALERT, town.alert()), b'"severity":3', b'"severity":2')
    forged = town.sign(Kind.ALERT, town.alert(), THIEF)
    unsigned = dataclasses.replace(town.sign(Kind.ALERT, town.alert()), signatures=())
    reasons = {changed: Refusal.BAD_SIGNATURE, forged: Refusal.UNKNOWN_KEY, unsigned: Refusal.UNKNOWN_KEY}
    for envelope, reason in reasons.items():
        await town.mosquitto_pub(town.alert_topic(), envelope.pack())
        await town.refused(envelope.digest, reason, began=began)


async def test_what_was_heard_is_published_again(town: Town) -> None:
    """an emergency that was heard and called off, published again by hand — a command is obeyed once."""
    alert = town.alert()
    heard = town.sign(Kind.ALERT, alert)
    await town.hand_in(heard)
    await town.ours.wait_state(lambda state: state.sound.output.rung == Rung.EMERGENCY, within_s=10)
    await town.call_off(alert)
    began = float(present())
    for _ in range(3):
        await town.mosquitto_pub(town.alert_topic(), heard.pack())
    await town.silent(began)


@pytest.mark.parametrize("content", ["nothing", "noise", "the neighbour's", "older"])
async def test_retained_parcel_overwritten(town: Town, began: float, content: str) -> None:
    """the retained parcel emptied, overwritten by noise, the neighbour's, the older one — what is in force stays."""
    before = believed(town.state())
    older = town.sign(Kind.SCHEDULE, town.schedule(town.item(NOBODY, in_ms=90_000)))
    newer = town.sign(Kind.SCHEDULE, town.schedule())
    for envelope in (older, newer):
        await town.hand_in(envelope)
    await town.ours.wait_state(lambda state: _holds(state, newer), within_s=10)
    theirs = sign(Kind.SCHEDULE, codec.encode(town.schedule(unit=TRAN_DE)), [town.ceremony.tran_de])
    payload = {
        "nothing": b"",
        "noise": b"\xff\x00" * 2000,
        "the neighbour's": pack_parcel(TRAN_DE, (theirs,)),
        "older": pack_parcel(KE_SACH, (older,)),
    }[content]
    await town.mosquitto_pub(unit_topic(KE_SACH, DOC), payload, "-r")
    if content == "older":
        await town.refused(older.digest, Refusal.OLDER_VERSION, began=began)
    await town.silent(began)
    assert believed(town.state()) == before
    assert _holds(town.state(), newer)


async def test_grants_are_withheld(town: Town, began: float) -> None:
    """all grants deleted from the database — the device keeps what it verified, and goes on obeying."""
    await town.by_hand("UPDATE documents SET state = 'ended', published_ms = NULL WHERE kind = 'grant'")
    town.running.app[AUTHORITY].forget_grants()
    alert = town.alert()
    true = town.sign(Kind.ALERT, alert)
    results = await post(town.running.stranger(), true)
    assert results[0]["refusal"] == Refusal.UNKNOWN_KEY, "the controller itself no longer knows the office"
    await town.silent(began)
    await town.mosquitto_pub(town.alert_topic(), true.pack())
    await town.ours.wait_state(lambda state: state.sound.output.rung == Rung.EMERGENCY, within_s=10)
    await town.mosquitto_pub(town.alert_topic(), town.cancel(alert).pack())
    await town.quiet()
    await town.by_hand("UPDATE documents SET state = 'in_force' WHERE kind = 'grant'")
    town.running.app[AUTHORITY].forget_grants()


async def test_still_obeys(town: Town) -> None:
    """after all of it — a true emergency by the controller's own door is heard."""
    await town.alarm_is_heard()
