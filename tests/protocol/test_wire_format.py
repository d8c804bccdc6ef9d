"""`docs/wire_format.md` is held to the code: its tables, its examples and its vectors."""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import json
import re
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from protocol import codec, limits
from protocol.alert import Alert, Cancel, Part, Stop, Tone
from protocol.assignment import Assignment, Placement
from protocol.audible_config import AudibleConfig, Fallback, Station, StoredMessage, Window
from protocol.authority import authorise
from protocol.bulletin import BulletinClass, CatchUp, Explicit, MediaRef, Weekly
from protocol.checkpoint import Checkpoint
from protocol.denial import Denial, Denied, RootWord
from protocol.document import Kind
from protocol.envelope import Envelope, payload_type, sign, unpack
from protocol.errors import Refusal
from protocol.freshness import Attestation, Head, Newest
from protocol.grants import Anchor, Grant, HeldGrant, accept_grant, read_anchor
from protocol.keys import SigningKey
from protocol.limits import ENVELOPE_BYTES_MAX
from protocol.live import LiveSegment, LiveSession, unpack_segment
from protocol.parcel import pack_parcel, unpack_all
from protocol.report import (
    AsRun,
    Confirmation,
    EndReason,
    Fault,
    FaultCode,
    InForce,
    Level,
    Receipt,
    Standing,
    Status,
)
from protocol.schedule import Item, Programme, Relay, Schedule
from protocol.stream import StreamRelay
from protocol.topics import down_topics, online_topic, stored_topic, unit_topic, up_topic
from protocol.units import UnitPath
from protocol.verbs import Verb

PAGE = (Path(__file__).parents[2] / "docs" / "wire_format.md").read_text(encoding="utf-8")
EXAMPLES: dict[str, type] = {
    "schedule": Schedule,
    "audible-config": AudibleConfig,
    "alert": Alert,
    "cancel": Cancel,
    "stop": Stop,
    "live-session": LiveSession,
    "head": Head,
    "attestation": Attestation,
    "grant": Grant,
    "anchor": Anchor,
    "assignment": Assignment,
    "denial": Denial,
    "checkpoint": Checkpoint,
    "root-word": RootWord,
    "receipt": Receipt,
    "status": Status,
    "as_run": AsRun,
    "fault": Fault,
    "stored": Confirmation,
}
PARTS = (
    Item,
    Programme,
    MediaRef,
    Relay,
    StreamRelay,
    StoredMessage,
    Explicit,
    Weekly,
    Window,
    Station,
    Part,
    Newest,
    InForce,
    Level,
    Placement,
    Denied,
)
NAMES: tuple[type[StrEnum], ...] = (
    Kind,
    Verb,
    Refusal,
    Standing,
    FaultCode,
    EndReason,
    BulletinClass,
    CatchUp,
    Tone,
    Fallback,
)


def block(label: str) -> str:
    found = re.search(rf"^```json {label}\n(.*?)\n```$", PAGE, re.DOTALL | re.MULTILINE)
    assert found, f"the page has no block for {label}"
    return found[1]


@cache
def vectors() -> dict[str, Any]:
    return json.loads(block("vectors"))


def tables() -> list[list[list[str]]]:
    """Every table of the page as rows of cells."""
    found: list[list[list[str]]] = []
    inside = False
    for line in PAGE.splitlines():
        if line.startswith("|") and not inside:
            found.append([])
        inside = line.startswith("|")
        if inside:
            found[-1].append([cell.strip() for cell in line.strip("|").split(" | ")])
    return found


@pytest.mark.parametrize("label", EXAMPLES)
def test_example_is_in_the_one_byte_form(label: str) -> None:
    text = block(label).encode()
    document = codec.decode(EXAMPLES[label], text, bytes_max=ENVELOPE_BYTES_MAX)
    assert codec.encode(document) == text


@pytest.mark.parametrize("kind", [*EXAMPLES.values(), *PARTS], ids=lambda kind: kind.__name__)
def test_table_has_every_field_in_order(kind: type) -> None:
    wanted = [f"`{field.name}`" for field in dataclasses.fields(kind)]
    described = [[row[0] for row in table[2:]] for table in tables() if table[0][:2] == ["field", "value"]]
    assert wanted in described


@pytest.mark.parametrize("kind", [*EXAMPLES.values(), *PARTS], ids=lambda kind: kind.__name__)
def test_table_has_every_bound(kind: type) -> None:
    for field in dataclasses.fields(kind):
        bounds = field.metadata.get("bounds")
        rows = [row[1] for table in tables() for row in table if row[0] == f"`{field.name}`"]
        if bounds is None:
            continue
        shown = {f"{bounds.low}…{bounds.high}", f"≤ {bounds.count_max}", f"≤ {bounds.chars_max}"}
        assert any(one in cell for cell in rows for one in shown), f"{kind.__name__}.{field.name}"


@pytest.mark.parametrize("names", NAMES, ids=lambda names: names.__name__)
def test_every_name_is_mentioned(names: type[StrEnum]) -> None:
    missing = [one.value for one in names if f"`{one.value}`" not in PAGE]
    assert not missing


@pytest.mark.parametrize("names", [Kind, Refusal, Standing, FaultCode, EndReason], ids=lambda names: names.__name__)
def test_every_name_has_its_row_in_order(names: type[StrEnum]) -> None:
    wanted = [f"`{one.value}`" for one in names]
    assert wanted in [[row[0] for row in table[2:]] for table in tables()]


def test_every_topic_is_described() -> None:
    unit, device = UnitPath("<unit path>"), "<device>"
    leaves = {topic.rpartition("/")[2] for topic in down_topics(UnitPath("vn"))}
    topics = [unit_topic(unit, leaf) for leaf in leaves] + [online_topic(device)]
    topics += [up_topic(device, report) for report in (Status, Receipt, AsRun, Fault)] + [stored_topic(device)]
    described = {row[0].strip("`") for table in tables() if table[0][0] == "topic" for row in table[2:]}
    assert described == set(topics)


def test_every_limit_stands_with_its_value() -> None:
    (described,) = [table[2:] for table in tables() if table[0] == ["limit", "value"]]
    assert {row[0].strip("`"): int(row[1].replace(",", "")) for row in described} == {
        name: getattr(limits, name) for name in dir(limits) if name.isupper()
    }


def seeds(name: str) -> list[SigningKey]:
    found = vectors()["seeds"][name]
    return [SigningKey.from_seed(bytes.fromhex(seed)) for seed in ([found] if isinstance(found, str) else found)]


def held() -> tuple[Anchor, dict[str, HeldGrant]]:
    anchor, grants = read_anchor(vectors()["anchor"].encode()), {}
    for packed in vectors()["grants"]:
        accepted = accept_grant(unpack(packed.encode()), anchor, grants)
        grants[accepted.digest] = accepted
    return anchor, grants


def test_anchor_is_made_from_its_seeds() -> None:
    anchor, _ = held()
    assert anchor.keys == tuple(key.public for key in seeds("anchor"))
    assert anchor.freshness_keys == (seeds("freshness")[0].public,)


def test_grant_chain_is_accepted_and_made_again() -> None:
    _, grants = held()
    (office, operator) = (one.grant for one in grants.values())
    assert operator.parent == next(iter(grants))
    assert [
        sign(Kind.GRANT, codec.encode(office), seeds("anchor")[:2]).pack().decode(),
        sign(Kind.GRANT, codec.encode(operator), seeds("office")).pack().decode(),
    ] == vectors()["grants"]
    assert block("grant").encode() == codec.encode(operator)


@pytest.mark.parametrize("kind", [Kind.SCHEDULE, Kind.ALERT])
def test_signed_document_is_made_again_and_obeyed(kind: Kind) -> None:
    anchor, grants = held()
    vector = vectors()[kind]
    made = sign(kind, vector["payload"].encode(), seeds("operator"))
    assert made.pack().decode() == vector["envelope"]
    assert made.signatures[0].signature.hex() == vector["signature"]
    assert (made.payload_type, payload_type(kind)) == (vector["payload_type"],) * 2
    assert vector["payload"] == block(kind)
    assert authorise(made, anchor=anchor, grants=grants, wall=vectors()["wall"], denied={}).kind is kind


def test_signed_bytes_stand_in_full() -> None:
    alert, schedule = vectors()["alert"], vectors()["schedule"]
    assert unpack(alert["envelope"].encode()).signed_bytes().hex() == alert["pre_authentication_bytes"]
    assert unpack(schedule["envelope"].encode()).digest == schedule["pre_authentication_sha256"]


@pytest.mark.parametrize("kind", [Kind.SCHEDULE, Kind.ALERT])
def test_second_reader_agrees(kind: Kind) -> None:
    """From the page alone, with nothing of ours: parse, join, verify."""
    envelope = json.loads(vectors()[kind]["envelope"])
    payload, name = base64.b64decode(envelope["payload"]), envelope["payloadType"].encode()
    message = b" ".join([b"DSSEv1", str(len(name)).encode(), name, str(len(payload)).encode(), payload])
    private = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(vectors()["seeds"]["operator"]))
    public = private.public_key().public_bytes_raw()
    signature = base64.b64decode(envelope["signatures"][0]["sig"])
    Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
    assert envelope["signatures"][0]["keyid"] == hashlib.sha256(public).hexdigest()[:16]


def test_parcel_is_made_again() -> None:
    packed = vectors()["parcel"].encode()
    envelopes = unpack_all(packed)
    assert pack_parcel(UnitPath("vn/92/31498"), envelopes) == packed
    assert [one.kind for one in envelopes] == ["grant", "grant", "schedule"]
    assert all(isinstance(one, Envelope) for one in envelopes)


def test_live_segment_is_made_again() -> None:
    vector = vectors()["live_segment"]
    session = codec.decode(LiveSession, block("live-session").encode(), bytes_max=ENVELOPE_BYTES_MAX)
    (studio,) = seeds("studio")
    bare = LiveSegment(session.id, vector["counter"], vector["duration_ms"], bytes.fromhex(vector["sound"]), b"")
    made = dataclasses.replace(bare, signature=studio.sign(bare.signed_bytes()))
    assert made.pack().hex() == vector["segment"]
    assert unpack_segment(bytes.fromhex(vector["segment"])) == made
    assert session.key == studio.public
