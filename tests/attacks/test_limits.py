"""Each limit, and one above."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from contextlib import suppress

import pytest

from edge.adapters.http_fetch import POLL_BYTES_MAX
from protocol import codec
from protocol.document import Kind
from protocol.envelope import sign, unpack
from protocol.errors import DocumentError, Refusal
from protocol.limits import ALERT_ENVELOPE_BYTES_MAX, ENVELOPE_BYTES_MAX, ENVELOPES_IN_PARCEL_MAX, PARCEL_BYTES_MAX
from protocol.parcel import unpack_parcel
from protocol.topics import ALERT, DOC
from tests.attacks.offices import C1, COMMUNE, seal
from tests.attacks.scene import Scene

# Each limit, and one above.


async def test_alert_one_byte_too_large(scene: Scene) -> None:
    """a true emergency in an envelope one byte above the limit of its topic — told as too large, by that path."""
    await scene.refused(lambda _: b" " * (ALERT_ENVELOPE_BYTES_MAX + 1), Refusal.TOO_LARGE, paths=("alert",))


async def test_envelope_one_byte_too_large(scene: Scene) -> None:
    """an envelope one byte above its limit — too large before it is read."""
    await scene.refused(lambda _: b" " * (ENVELOPE_BYTES_MAX + 1), Refusal.MALFORMED_DOCUMENT, paths=("doc",))
    await scene.refused(lambda _: b" " * (ENVELOPE_BYTES_MAX + 2), Refusal.TOO_LARGE, paths=("poll alert",))


async def test_payload_larger_than_its_kind(scene: Scene) -> None:
    """a signed alert larger than an alert may be, where larger envelopes are allowed — a kind has its own limit."""

    def forge(_: str) -> bytes:
        alert = json.loads(codec.encode(scene.offices.alert())) | {"x": "y" * ALERT_ENVELOPE_BYTES_MAX}
        return sign(Kind.ALERT, json.dumps(alert).encode(), [C1]).pack()

    await scene.refused(forge, Refusal.TOO_LARGE, paths=("doc", "poll", "poll alert", "stick"))


@pytest.mark.parametrize(
    ("leaf", "size", "reason"),
    ((DOC, PARCEL_BYTES_MAX + 1, Refusal.TOO_LARGE), (ALERT, PARCEL_BYTES_MAX * 2, Refusal.TOO_LARGE)),
)
async def test_message_too_large(scene: Scene, leaf: str, size: int, reason: Refusal) -> None:
    """messages above the limit of their topic — cut off one byte above it, and told as too large."""
    began, before, known = scene.wall, scene.speaker.on_disk(), len(scene.attacker.receipts())
    scene.attacker.on_topic(leaf, bytes(size))
    await scene.told(known, reason)
    await scene.speaker.silent_for(3, since_ms=began)
    assert scene.speaker.on_disk() == before
    await scene.still_obeys()


async def test_one_envelope_too_many(scene: Scene) -> None:
    """a parcel with one envelope more than may be — none of it is read."""
    known = len(scene.attacker.receipts())
    true = seal(Kind.ALERT, scene.offices.alert(), C1).pack()
    count = ENVELOPES_IN_PARCEL_MAX + 1
    scene.attacker.on_topic(DOC, codec.encode({"scope": COMMUNE, "envelopes": (true.decode(),) * count}))
    await scene.told(known, Refusal.MALFORMED_DOCUMENT)
    await scene.speaker.silent_for(6)
    await scene.still_obeys()


COUNTS: dict[str, tuple[Kind, dict[str, object]]] = {
    "257 targets": (Kind.ALERT, {"targets": [COMMUNE] * 257}),
    "5 parts": (Kind.ALERT, {"parts": [{"language": "vi", "text": "x"}] * 5}),
    "501 characters": (Kind.ALERT, {"parts": [{"language": "vi", "text": "x" * 501}]}),
    "no part": (Kind.ALERT, {"parts": []}),
    "no target": (Kind.ALERT, {"targets": []}),
    "severity 5": (Kind.ALERT, {"severity": 5}),
    "tone of 11 s": (Kind.ALERT, {"tone_ms": 11_000}),
    "stop for a day and more": (Kind.STOP, {"until": 2**52}),
    "a number too large": (Kind.ALERT, {"sequence": 2**53}),
}


@pytest.mark.parametrize("what", COUNTS)
async def test_one_more_than_may_be(scene: Scene, what: str) -> None:
    """true signatures around one more of anything than may be — such a document cannot be read."""
    kind, change = COUNTS[what]

    def forge(_: str) -> bytes:
        made = scene.offices.alert() if kind is Kind.ALERT else scene.offices.stop()
        return sign(kind, json.dumps(json.loads(codec.encode(made)) | change).encode(), [C1]).pack()

    await scene.refused(forge, Refusal.MALFORMED_DOCUMENT, paths=("doc", "poll"))


async def test_alert_that_lives_too_long(scene: Scene) -> None:
    """an emergency that lives longer than thirty minutes, truly signed — such a document cannot be read."""

    def forge(_: str) -> bytes:
        plain = json.loads(codec.encode(scene.offices.alert()))
        plain["expires"] = plain["issued"] + 30 * 60_000 + 1
        return sign(Kind.ALERT, json.dumps(plain).encode(), [C1]).pack()

    await scene.refused(forge, Refusal.MALFORMED_DOCUMENT)


CROWDS: dict[str, tuple[bytes, Callable[[bytes], object]]] = {
    "poll": (
        b'{"cursor":"x","parcels":[' + b",".join([b"{}"] * 1_390_000) + b"]}",
        lambda data: codec.parse_json(data, bytes_max=POLL_BYTES_MAX),
    ),
    "parcel": (b'{"scope":"vn","envelopes":[' + b",".join([b"{}"] * 349_000) + b"]}", unpack_parcel),
    "envelope": (b'{"payloadType":"x","x":[' + b",".join([b"{}"] * 174_000) + b"]}", unpack),
}
READING_S_MAX = 0.1
"""Sound is made 200 ms ahead, and a board is five times slower than this machine."""


# OPEN HOLE: the strict reader has no bound on the number of values, only on bytes and depth.
@pytest.mark.parametrize("what", CROWDS)
def test_a_million_little_things(what: str) -> None:
    """an answer within its size, full of a million empty objects — reading it must not hold up what sounds."""
    data, read = CROWDS[what]
    began = time.process_time()
    with suppress(DocumentError):
        read(data)
    assert time.process_time() - began < READING_S_MAX
