"""Bytes that nobody meant: parsers answer with their own error, or with a value that is whole."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from protocol import codec
from protocol.document import KINDS, Kind, read
from protocol.envelope import Envelope, payload_type, sign, unpack, unpack_alert
from protocol.errors import DocumentError
from protocol.grants import read_anchor
from protocol.keys import public_key
from protocol.limits import REPORT_BYTES_MAX
from protocol.live import LiveSegment, opus_packets, unpack_segment
from protocol.parcel import pack_parcel, unpack_all, unpack_parcel
from protocol.report import AsRun, Fault, Receipt, Status
from protocol.topics import device_id, unit_of_topic, up_of_topic
from protocol.units import unit_path
from tests.protocol.people import ANCHOR, C1, COMMUNE, alert, grant, schedule, stop

pytestmark = pytest.mark.slow
_tries = settings(max_examples=120, deadline=None)

ENVELOPE = sign(Kind.ALERT, alert(), [C1])
SEGMENT = LiveSegment("0" * 32, 1, 40, b"\x00\x03abc", bytes(64))
STATUS = b'{"agent_version":"1","boot_id":"b","clock":"none","device":"d","level_cdb":-5,"media_held":1}'

PARSERS: dict[str, tuple[Callable[[bytes], Any], bytes]] = {
    "unpack": (unpack, ENVELOPE.pack()),
    "unpack_alert": (unpack_alert, ENVELOPE.pack()),
    "unpack_parcel": (unpack_parcel, pack_parcel(COMMUNE, (ENVELOPE,))),
    "unpack_all": (unpack_all, pack_parcel(COMMUNE, (ENVELOPE,))),
    "unpack_segment": (unpack_segment, SEGMENT.pack()),
    "opus_packets": (opus_packets, b"\x00\x03abc\x00\x02de"),
    "read_anchor": (read_anchor, codec.encode(ANCHOR)),
    "status": (lambda data: codec.decode(Status, data, bytes_max=REPORT_BYTES_MAX), STATUS),
    "receipt": (lambda data: codec.decode(Receipt, data, bytes_max=REPORT_BYTES_MAX), STATUS),
    "as_run": (lambda data: codec.decode(AsRun, data, bytes_max=REPORT_BYTES_MAX), STATUS),
    "fault": (lambda data: codec.decode(Fault, data, bytes_max=REPORT_BYTES_MAX), STATUS),
}
PAYLOADS = {
    Kind.SCHEDULE: schedule(),
    Kind.ALERT: alert(),
    Kind.STOP: stop(),
    Kind.GRANT: codec.encode(grant()),
}


def calm(parse: Callable[[Any], Any], data: Any) -> None:
    """Runs a parser; only its documented error may come out."""
    try:
        parse(data)
    except DocumentError as error:
        assert len(error.detail) <= 4096


@st.composite
def mutations(draw: st.DrawFn, whole: bytes) -> bytes:
    """Bytes with a few places changed, cut out or repeated."""
    data = bytearray(whole)
    for _ in range(draw(st.integers(1, 6))):
        at = draw(st.integers(0, len(data)))
        act = draw(st.sampled_from(["set", "cut", "insert", "repeat"]))
        if act == "insert":
            data[at:at] = draw(st.binary(max_size=8))
        elif act == "cut":
            del data[at : at + draw(st.integers(1, 20))]
        elif act == "repeat":
            data[at:at] = data[at : at + 12]
        elif at < len(data):
            data[at] = draw(st.integers(0, 255))
    return bytes(data)


@pytest.mark.parametrize("name", PARSERS)
@_tries
@given(data=st.data())
def test_parser_stays_calm(name: str, data: st.DataObject) -> None:
    parse, whole = PARSERS[name]
    calm(parse, data.draw(st.binary(max_size=200) | mutations(whole)))


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=8,
)


@st.composite
def changed_documents(draw: st.DrawFn, whole: bytes) -> bytes:
    """A document with some values replaced by any JSON at all."""
    value = json.loads(whole)
    for name in draw(st.lists(st.sampled_from(sorted(value)), max_size=3)):
        value[name] = draw(json_values)
    return json.dumps(value).encode()


@pytest.mark.parametrize("kind", PAYLOADS)
@_tries
@given(data=st.data())
def test_payload_stays_calm(kind: Kind, data: st.DataObject) -> None:
    payload = data.draw(changed_documents(PAYLOADS[kind]) | mutations(PAYLOADS[kind]))
    calm(read, Envelope(payload_type(kind), payload, ()))


@pytest.mark.parametrize("kind", Kind)
@settings(max_examples=40, deadline=None)
@given(payload=json_values.map(lambda value: json.dumps(value).encode()))
@example(payload=b"[" * 5000)
def test_any_json_as_a_document(kind: Kind, payload: bytes) -> None:
    calm(read, Envelope(payload_type(kind), payload, ()))
    assert KINDS[kind].bytes_max > 0


@_tries
@given(st.text(max_size=70) | st.text("0123456789abcdef", min_size=64, max_size=64))
@example("\ud800" * 64)
def test_public_key_stays_calm(text: str) -> None:
    calm(public_key, text)


@_tries
@given(
    st.text(max_size=90)
    | st.lists(st.sampled_from(["loalang", "v1", "u", "d", "up", "vn", "doc", "status", ""])).map("/".join)
)
@example("loalang/v1/u/\ud800/doc")
@example("/" * 65_535)
def test_topics_stay_calm(topic: str) -> None:
    unit, device = unit_of_topic(topic), up_of_topic(topic)
    assert unit is None or device is None
    for check in (unit_path, device_id):
        try:
            check(topic)
        except ValueError as error:
            assert len(str(error)) < 200
