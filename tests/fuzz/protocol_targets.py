"""The protocol's own readers: a value that is whole or `DocumentError`, and no authority from nothing."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable
from typing import Any

from protocol import codec
from protocol.authority import authorise
from protocol.document import KINDS, kind_of, read
from protocol.envelope import Envelope, payload_type, pre_authentication_encoding, unpack, unpack_alert
from protocol.errors import DocumentError
from protocol.grants import Anchor, accept_grant, read_anchor
from protocol.keys import public_key
from protocol.limits import ALERT_ENVELOPE_BYTES_MAX, ENVELOPE_BYTES_MAX, REPORT_BYTES_MAX, TEXT_CHARS_MAX
from protocol.live import opus_packets, unpack_segment
from protocol.parcel import unpack_all, unpack_parcel
from protocol.report import AsRun, Fault, Receipt, Status
from protocol.topics import device_id, unit_of_topic, unit_topic, up_of_topic
from protocol.units import ancestors, covers, unit_path
from tests.fuzz import material
from tests.fuzz.target import Target
from tests.protocol.people import ANCHOR, C1, NOW, P1

_MODULES = ("protocol",)
_DETAIL_CHARS_MAX = 4096


def calm(parse: Callable[[Any], Any], data: Any) -> Any:
    """What a parser makes of it; None when it refuses by its documented error."""
    try:
        return parse(data)
    except DocumentError as error:
        assert len(error.detail) <= _DETAIL_CHARS_MAX, "a refusal as long as what it refuses"
        error.detail.encode()
        return None


def envelope(data: bytes) -> None:
    """An envelope survives being packed again, and its base64 has one form."""
    made = calm(unpack, data)
    alert = calm(unpack_alert, data)
    assert (alert is not None) == (made is not None and len(data) <= ALERT_ENVELOPE_BYTES_MAX)
    if made is None:
        return
    assert unpack(made.pack()) == made
    wire = json.loads(data)
    assert wire["payload"] == base64.b64encode(made.payload).decode()
    assert [one["sig"] for one in wire["signatures"]] == [
        base64.b64encode(s.signature).decode() for s in made.signatures
    ]
    assert made.signed_bytes() == pre_authentication_encoding(made.payload_type, made.payload)
    assert made.digest == hashlib.sha256(made.signed_bytes()).hexdigest()
    calm(kind_of, made)
    calm(read, made)


def documents(data: bytes) -> None:
    """The same bytes as every kind of document; what is read survives being written and read again."""
    for kind, rule in KINDS.items():
        made = calm(read, Envelope(payload_type(kind), data, ()))
        if made is not None:
            again = codec.encode(made)
            assert codec.decode(rule.document, again, bytes_max=rule.bytes_max) == made
            assert codec.encode(codec.decode(rule.document, again, bytes_max=rule.bytes_max)) == again


def parcel(data: bytes) -> None:
    """A parcel gives its envelopes one by one; a damaged one does not take the others with it."""
    found = calm(unpack_parcel, data)
    whole = calm(unpack_all, data)
    if found is None:
        assert whole is None
        return
    sound = [one for one in (calm(unpack, each) for each in found) if one is not None]
    assert (whole is not None) == (len(sound) == len(found))
    told = json.loads(data)["envelopes"]
    assert [one.decode() for one in found] == told, "each envelope's bytes are kept as they came"


def reports(data: bytes) -> None:
    """Bytes as every kind of report."""
    for kind in (Receipt, AsRun, Fault, Status):
        made = calm(lambda one, kind=kind: codec.decode(kind, one, bytes_max=REPORT_BYTES_MAX), data)
        if made is not None:
            assert codec.decode(kind, codec.encode(made), bytes_max=2 * REPORT_BYTES_MAX) == made


def names(data: bytes) -> None:
    """Topics, unit paths, device ids and keys are text from outside."""
    text = data.decode("utf-8", "surrogateescape")
    unit = unit_of_topic(text)
    assert unit is None or (up_of_topic(text) is None and unit_topic(*unit) == text)
    calm(public_key, text)
    try:
        path = unit_path(text)
    except ValueError as error:
        assert len(str(error)) <= 2 * TEXT_CHARS_MAX
    else:
        assert all(covers(above, path) for above in ancestors(path))
    try:
        device_id(text)
    except ValueError as error:
        assert len(str(error)) <= 2 * TEXT_CHARS_MAX


def segment(data: bytes) -> None:
    """A live segment is what it was made of, byte for byte."""
    made = calm(unpack_segment, data)
    if made is not None:
        assert made.pack() == data
        packets = calm(opus_packets, made.sound)
        assert packets is None or b"".join(len(one).to_bytes(2, "big") + one for one in packets) == made.sound
    calm(opus_packets, data)


def anchor(data: bytes) -> None:
    """An anchor that can be read is whole."""
    made = calm(read_anchor, data)
    if made is not None:
        assert codec.decode(Anchor, codec.encode(made), bytes_max=ENVELOPE_BYTES_MAX) == made
        assert 1 <= made.threshold <= len(set(made.keys))


def _held() -> dict[str, Any]:
    made = [accept_grant(one, ANCHOR, {}) for one in (material.office_grant(), material.province_grant())]
    return {one.digest: one for one in made}


def authority(data: bytes) -> None:
    """Only bytes that an operator truly signed are accepted, whatever else stands around them."""
    made = calm(unpack, data)
    if made is None:
        return
    genuine = {one.digest for one in material.spoken().values()} | {material.province_grant().digest}
    found = calm(lambda one: authorise(one, anchor=ANCHOR, grants=_held(), wall=NOW, denied={}), made)
    assert found is None or (made.digest in genuine and found.signers <= {C1.public, P1.public})
    held = calm(lambda one: accept_grant(one, ANCHOR, _held()), made)
    assert held is None or made.digest in genuine


def _texts() -> list[bytes]:
    topics = ["loalang/v1/u/vn/92/31498/doc", "loalang/v1/d/c07/up/status", "vn/92/31498", "c07", C1.public, "0" * 64]
    return [one.encode() for one in topics] + [b"loalang/v1/u/\xed\xa0\x80/doc", b"/" * 65_535]


TARGETS = {
    "envelope": Target(envelope, material.envelopes, _MODULES),
    "documents": Target(documents, material.payloads, _MODULES, runs=8_000),
    "parcel": Target(parcel, material.parcels, _MODULES),
    "reports": Target(reports, material.reports, _MODULES),
    "names": Target(names, _texts, _MODULES),
    "segment": Target(segment, material.segments, _MODULES),
    "anchor": Target(anchor, lambda: [codec.encode(ANCHOR)], _MODULES),
    "authority": Target(authority, material.envelopes, _MODULES, runs=8_000),
}
