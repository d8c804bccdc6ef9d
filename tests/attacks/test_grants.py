"""Grants that give too much, and keys that prove nothing."""

from __future__ import annotations

import asyncio
import dataclasses
import hashlib
import json
from collections.abc import Callable
from typing import Any

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from protocol import codec
from protocol.clock import DAY_MS, WallMs
from protocol.document import Kind
from protocol.envelope import Envelope, Signature, payload_type, pre_authentication_encoding, sign
from protocol.errors import Refusal
from protocol.grants import Grant
from protocol.verbs import Verb
from tests.attacks.offices import (
    C1,
    COMMUNE,
    FORMER,
    NINE,
    OPERATOR_VERBS,
    PROVINCE,
    ROOTS,
    STRANGER,
    grant,
    key,
    seal,
    sign_grant,
)
from tests.attacks.scene import Scene

CHAIRMAN = key("chairman")
CHAIR = grant(COMMUNE, CHAIRMAN, holder="chủ tịch xã", verbs=(*OPERATOR_VERBS, Verb.GRANT), depth=1)
PARENT = sign_grant(CHAIR)


def below(**fields: Any) -> Grant:
    """A grant by the chairman, who may grant what he has."""
    made = {"scope": COMMUNE, "holder": "cháu chủ tịch", "parent": PARENT.digest} | fields
    return grant(made.pop("scope"), STRANGER, **made)


async def enclose(scene: Scene) -> None:
    """The chairman's own grant, which is true."""
    await scene.attacker.deliver("doc", PARENT.pack())
    await scene.speaker.wait_state(lambda state: CHAIRMAN.public in str(state.trust.grants))


WIDER: dict[str, dict[str, Any]] = {
    "scope": {"scope": PROVINCE},
    "verb": {"verbs": (Verb.ALERT, Verb.ALERT_WIDE)},
    "depth": {"depth": 1},
    "later": {"expires": WallMs(CHAIR.expires + 1)},
    "earlier": {"not_before": WallMs(CHAIR.not_before - 1)},
}


async def grant_refused(scene: Scene, envelope: Envelope | bytes, reason: Refusal) -> None:
    """The grant is refused for its reason, and what its key then signs for being unknown."""
    known = len(scene.attacker.receipts())
    await scene.attacker.deliver("doc", envelope if isinstance(envelope, bytes) else envelope.pack())
    await scene.told(known, reason)
    await scene.refused(lambda _: seal(Kind.ALERT, scene.offices.alert(), STRANGER).pack(), Refusal.UNKNOWN_KEY)


@pytest.mark.parametrize("way", WIDER)
async def test_grant_wider_than_its_parent(scene: Scene, way: str) -> None:
    """a chairman gives his nephew more than he has: scope, verbs, depth, time — a grant lies inside its parent."""
    await enclose(scene)
    await grant_refused(scene, sign_grant(below(**WIDER[way]), CHAIRMAN), Refusal.GRANT_WIDER_THAN_PARENT)


async def test_grant_within_its_parent(scene: Scene) -> None:
    """no attack at all — a grant inside its parent is taken, so the refusals beside this one mean something."""
    await enclose(scene)
    nephew = below()
    await scene.attacker.deliver("doc", sign_grant(nephew, CHAIRMAN).pack())
    await scene.speaker.wait_state(lambda state: STRANGER.public in str(state.trust.grants))
    scene.key = STRANGER
    await scene.still_obeys()


async def test_grant_by_an_operator_who_may_not_grant(scene: Scene) -> None:
    """an operator makes a grant below his own — the verb to grant is missing."""
    parent = scene.offices.grants[0].digest
    await grant_refused(scene, sign_grant(below(parent=parent), C1), Refusal.VERB_NOT_GRANTED)


async def test_grant_without_a_parent(scene: Scene) -> None:
    """a grant whose parent nobody has seen — there is no chain up to the anchor."""
    parent = hashlib.sha256(b"nothing").hexdigest()
    await grant_refused(scene, sign_grant(below(parent=parent), CHAIRMAN), Refusal.GRANT_WITHOUT_PARENT)


async def test_grant_with_two_parents(scene: Scene) -> None:
    """a grant that names two parents, to take scope from one and verbs from the other — one parent, read once."""
    await enclose(scene)
    payload = codec.encode(below(scope=PROVINCE))
    twice = payload[:-1] + b',"parent":"anchor"}'
    await grant_refused(scene, sign(Kind.GRANT, twice, [CHAIRMAN, ROOTS[0]]), Refusal.MALFORMED_DOCUMENT)


async def test_grant_with_a_list_of_parents(scene: Scene) -> None:
    """the same as a list — a parent is one digest."""
    await enclose(scene)
    listed = json.loads(codec.encode(below())) | {"parent": [PARENT.digest, "anchor"]}
    envelope = sign(Kind.GRANT, json.dumps(listed).encode(), [CHAIRMAN])
    await grant_refused(scene, envelope, Refusal.MALFORMED_DOCUMENT)


async def test_key_listed_three_times(scene: Scene) -> None:
    """a grant for two of three keys that are all the same one — a key is listed once."""
    fields = json.loads(codec.encode(grant(COMMUNE, STRANGER, key("b"), key("c"), threshold=2, holder="ba khóa")))
    fields["keys"] = [STRANGER.public] * 3
    envelope = sign(Kind.GRANT, json.dumps(fields).encode(), ROOTS[:2])
    await grant_refused(scene, envelope, Refusal.MALFORMED_DOCUMENT)


async def test_grant_by_one_anchor_key(scene: Scene) -> None:
    """one stolen key of the anchor — two of three sign a grant."""
    await grant_refused(
        scene, sign_grant(grant(COMMUNE, STRANGER, holder="mới"), ROOTS[0]), Refusal.THRESHOLD_NOT_MET
    )


async def test_grant_by_one_anchor_key_twice(scene: Scene) -> None:
    """one stolen key of the anchor that signs twice — distinct keys are counted."""
    envelope = sign_grant(grant(COMMUNE, STRANGER, holder="mới"), ROOTS[0])
    envelope = dataclasses.replace(envelope, signatures=envelope.signatures * 2)
    await grant_refused(scene, envelope, Refusal.THRESHOLD_NOT_MET)


async def test_expired_signer(scene: Scene) -> None:
    """somebody who left, whose grant has ended, signs once more — the grant is expired."""
    await scene.refused(lambda _: seal(Kind.ALERT, scene.offices.alert(), FORMER).pack(), Refusal.GRANT_EXPIRED)


async def test_signer_of_tomorrow(scene: Scene) -> None:
    """an operator whose office begins tomorrow signs today — the grant is not in force yet."""
    tomorrow = sign_grant(grant(COMMUNE, STRANGER, holder="mới", not_before=WallMs(NINE + DAY_MS)))
    await scene.attacker.deliver("doc", tomorrow.pack())
    await asyncio.sleep(1)
    forge: Callable[[str], bytes] = lambda _: seal(Kind.ALERT, scene.offices.alert(), STRANGER).pack()  # noqa: E731
    await scene.refused(forge, {Refusal.GRANT_EXPIRED, Refusal.NOT_YET_VALID, Refusal.UNKNOWN_KEY})


# Keys that prove nothing.

IDENTITY = "01" + "00" * 31
SMALL_ORDER = {
    "identity": IDENTITY,
    "order 2": "ec" + "ff" * 30 + "7f",
    "order 4": "00" * 32,
    "order 8": "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "identity, not canonical": "ee" + "ff" * 30 + "7f",
    "order 4, not canonical": "ed" + "ff" * 30 + "7f",
    "identity with a sign": "01" + "00" * 30 + "80",
}


def forged_under(public: str, kind: str, payload: bytes) -> Envelope | None:
    """A signature that nobody made and OpenSSL holds for true: S is zero, R cancels what is left of the key."""
    message = pre_authentication_encoding(payload_type(kind), payload)
    for point in SMALL_ORDER.values():
        signature = bytes.fromhex(point) + bytes(32)
        try:
            Ed25519PublicKey.from_public_bytes(bytes.fromhex(public)).verify(signature, message)
        except InvalidSignature:
            continue
        name = hashlib.sha256(bytes.fromhex(public)).hexdigest()[:16]
        return Envelope(payload_type(kind), payload, (Signature(name, signature),))
    return None


def test_openssl_takes_forged_signatures() -> None:
    """no attack at all — OpenSSL really accepts a signature nobody made, for any message, under the identity key."""
    assert all(forged_under(IDENTITY, Kind.ALERT, b"%d" % number) is not None for number in range(10))


@pytest.mark.parametrize("name", SMALL_ORDER)
async def test_small_order_key_in_a_grant(scene: Scene, name: str) -> None:
    """an office is tricked into granting a key under which any signature holds — such a key cannot be granted."""
    public = SMALL_ORDER[name]
    fields = json.loads(codec.encode(grant(COMMUNE, STRANGER, holder="khóa lạ"))) | {"keys": [public]}
    known = len(scene.attacker.receipts())
    await scene.attacker.deliver("doc", sign(Kind.GRANT, json.dumps(fields).encode(), ROOTS[:2]).pack())
    await scene.told(known, Refusal.MALFORMED_DOCUMENT)

    def forge(_: str) -> bytes:
        for _attempt in range(64):
            forged = forged_under(public, Kind.ALERT, codec.encode(scene.offices.alert()))
            if forged is not None:
                return forged.pack()
        return seal(Kind.ALERT, scene.offices.alert(), STRANGER).pack()

    await scene.refused(forge, Refusal.UNKNOWN_KEY)


@pytest.mark.parametrize("name", SMALL_ORDER)
async def test_small_order_key_in_a_session(scene: Scene, name: str) -> None:
    """a page of the controller hands the signer such a key for a live session — the session is refused."""

    def forge(_: str) -> bytes:
        session = json.loads(codec.encode(scene.offices.live(STRANGER))) | {"key": SMALL_ORDER[name]}
        return sign(Kind.LIVE_SESSION, json.dumps(session).encode(), [C1]).pack()

    await scene.refused(forge, Refusal.MALFORMED_DOCUMENT)
