"""Altered and re-typed: a signed document that is not exactly what was signed is nothing."""

from __future__ import annotations

import base64
import dataclasses
import json
from collections.abc import Callable
from typing import Any

import pytest

from protocol.document import Kind
from protocol.envelope import Envelope, Signature, payload_type, sign
from protocol.errors import Refusal
from tests.attacks.offices import (
    C1,
    FRESHNESS,
    seal,
)
from tests.attacks.scene import Scene
from tests.attacks.speech import SPEECH

# Altered.


def flip(data: bytes, at: int) -> bytes:
    """One bit changed."""
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


def payload_at(fraction: float) -> Callable[[Envelope], Envelope]:
    """Changes one bit of the payload at a place from 0 to 1."""

    def alter(envelope: Envelope) -> Envelope:
        at = round(fraction * (len(envelope.payload) - 1))
        return dataclasses.replace(envelope, payload=flip(envelope.payload, at))

    return alter


def signature_at(index: int) -> Callable[[Envelope], Envelope]:
    """Changes one bit of the signature."""

    def alter(envelope: Envelope) -> Envelope:
        (one,) = envelope.signatures
        return dataclasses.replace(envelope, signatures=(Signature(one.key_id, flip(one.signature, index)),))

    return alter


def key_id_to(name: str) -> Callable[[Envelope], Envelope]:
    """Names another key."""
    return lambda envelope: dataclasses.replace(
        envelope, signatures=(Signature(name, envelope.signatures[0].signature),)
    )


def type_to(name: str) -> Callable[[Envelope], Envelope]:
    """Another payload type around the same payload and signature."""
    return lambda envelope: dataclasses.replace(envelope, payload_type=name)


ALTERATIONS: dict[str, tuple[Callable[[Envelope], Envelope], Refusal]] = {
    **{f"payload {part:.0%}": (payload_at(part), Refusal.BAD_SIGNATURE) for part in (0, 0.2, 0.4, 0.6, 0.8, 1)},
    **{f"signature byte {at}": (signature_at(at), Refusal.BAD_SIGNATURE) for at in (0, 31, 32, 63)},
    "key id": (key_id_to("0" * 16), Refusal.UNKNOWN_KEY),
    "empty key id": (key_id_to(""), Refusal.UNKNOWN_KEY),
    "cut payload": (lambda one: dataclasses.replace(one, payload=one.payload[:-1]), Refusal.BAD_SIGNATURE),
    "longer payload": (lambda one: dataclasses.replace(one, payload=one.payload + b" "), Refusal.BAD_SIGNATURE),
    "type with a space": (type_to(payload_type("alert") + " "), Refusal.UNKNOWN_TYPE),
    "type of nothing": (type_to(""), Refusal.UNKNOWN_TYPE),
    "type in capitals": (type_to(payload_type("ALERT")), Refusal.UNKNOWN_TYPE),
}


@pytest.mark.parametrize("region", ALTERATIONS)
async def test_altered(scene: Scene, region: str) -> None:
    """one bit of a true emergency changed in each region of its bytes — every byte that is read is signed."""
    alter, reason = ALTERATIONS[region]
    await scene.refused(lambda _: alter(seal(Kind.ALERT, scene.offices.alert(), C1)).pack(), reason)


def _wire(envelope: Envelope, **changes: Any) -> bytes:
    return json.dumps(json.loads(envelope.pack()) | changes).encode()


def _loose_base64(envelope: Envelope) -> bytes:
    """The same bytes after lenient decoding: the unused bits of the last letter are set."""
    text = base64.b64encode(envelope.payload).decode()
    return _wire(envelope, payload=text.rstrip("=")[:-1] + chr(ord(text.rstrip("=")[-1]) + 1) + "=" * text.count("="))


def _padded(envelope: Envelope) -> Envelope:
    """Base64 of this payload has unused bits."""
    return envelope if len(envelope.payload) % 3 else seal(Kind.ALERT, json.loads(envelope.payload) | {"x": 1}, C1)


WIRE: dict[str, Callable[[Envelope], bytes]] = {
    "not JSON": lambda one: one.pack()[:-1],
    "only spaces": lambda one: b" " * (int(one.digest[:3], 16) + 1),
    "not UTF-8": lambda one: one.pack().replace(b'"payload"', b'"paylo\xffd"'),
    "payload is a number": lambda one: _wire(one, payload=len(one.payload)),
    "signatures is an object": lambda one: _wire(one, signatures={one.digest: 1}),
    "signature too short": lambda one: _wire(one, signatures=[{"keyid": "", "sig": "AAAA"}]),
    "base64 with other letters": lambda one: _wire(one, payload="_-" + base64.b64encode(one.payload).decode()[2:]),
    "base64 with spaces": lambda one: _wire(one, payload=" " + base64.b64encode(one.payload).decode()),
    "base64 that is not canonical": lambda one: _loose_base64(_padded(one)),
    "a key twice": lambda one: one.pack()[:-1] + b',"payload":"AAAA"}',
    "NaN": lambda one: one.pack()[:-1] + b',"x":NaN}',
    "deep": lambda one: one.pack()[:-1] + b',"x":' + b"[" * 900 + b"]" * 900 + b"}",
    "nine signatures": lambda one: _wire(one, signatures=json.loads(one.pack())["signatures"] * 9),
}


@pytest.mark.parametrize("shape", WIRE)
async def test_malformed(scene: Scene, shape: str) -> None:
    """a true emergency in another shape — one byte form, read strictly before anything is verified."""

    def forge(_: str) -> bytes:
        return WIRE[shape](seal(Kind.ALERT, scene.offices.alert(), C1))

    paths = ("doc", "alert") if shape in ("not UTF-8",) else ("doc", "alert", "poll", "poll alert", "stick")
    await scene.refused(forge, Refusal.MALFORMED_ENVELOPE, paths=paths)


# Re-typed.


@pytest.mark.parametrize("true", (Kind.ALERT_TEST, Kind.ALERT_DRILL, Kind.CANCEL, Kind.SCHEDULE, Kind.LIVE_SESSION))
async def test_shown_as_actual(scene: Scene, true: Kind) -> None:
    """a signed test, drill, cancel, schedule or session shown as an actual emergency — the type is signed too."""

    def forge(_: str) -> bytes:
        return type_to(payload_type(Kind.ALERT))(seal(true, SPEECH[true](scene.offices), C1)).pack()

    await scene.refused(forge, Refusal.BAD_SIGNATURE)


@pytest.mark.parametrize("shown", (Kind.ALERT_TEST, Kind.ALERT_DRILL, Kind.STOP, Kind.CANCEL, Kind.SCHEDULE))
async def test_actual_shown_as_another(scene: Scene, shown: Kind) -> None:
    """a signed emergency shown as a test, drill, stop, cancel or schedule — the type is signed too."""

    def forge(_: str) -> bytes:
        return type_to(payload_type(shown))(seal(Kind.ALERT, scene.offices.alert(), C1)).pack()

    await scene.refused(forge, Refusal.BAD_SIGNATURE)


@pytest.mark.parametrize(
    ("signed", "inner"),
    ((Kind.ALERT, Kind.SCHEDULE), (Kind.SCHEDULE, Kind.ALERT), (Kind.AUDIBLE_CONFIG, Kind.LIVE_SESSION)),
)
async def test_payload_of_another_kind(scene: Scene, signed: Kind, inner: Kind) -> None:
    """a signer is tricked into one kind's payload under another's type — the fields do not fit."""

    def forge(_: str) -> bytes:
        return seal(signed, SPEECH[inner](scene.offices), C1).pack()

    await scene.refused(forge, Refusal.MALFORMED_DOCUMENT)


async def test_kind_that_does_not_exist(scene: Scene) -> None:
    """a document of a kind that nobody knows, signed by the operator — refused by its name."""

    def forge(_: str) -> bytes:
        return sign("shout", b'{"n":%d}' % scene.offices.next_version(), [C1]).pack()

    await scene.refused(forge, Refusal.UNKNOWN_TYPE)


async def test_attestation_as_a_document(scene: Scene) -> None:
    """an attestation that comes by itself — time is believed only as the answer to our own question."""

    def forge(_: str) -> bytes:
        return sign(Kind.ATTESTATION, b'{"n":%d}' % scene.offices.next_version(), [FRESHNESS]).pack()

    await scene.refused(forge, Refusal.UNKNOWN_TYPE)
