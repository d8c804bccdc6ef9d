import json

import pytest

from protocol.envelope import sign
from protocol.errors import DocumentError, Refusal
from protocol.limits import ENVELOPES_IN_PARCEL_MAX, PARCEL_BYTES_MAX
from protocol.parcel import pack_parcel, unpack_all, unpack_parcel
from tests.protocol.people import C1, COMMUNE, schedule

ENVELOPE = sign("schedule", schedule(), [C1])


def refusal(data: bytes) -> Refusal:
    with pytest.raises(DocumentError) as caught:
        unpack_parcel(data)
    return caught.value.refusal


def test_parcel_survives_the_wire() -> None:
    packed = pack_parcel(COMMUNE, (ENVELOPE, ENVELOPE))
    assert unpack_parcel(packed) == (ENVELOPE.pack(), ENVELOPE.pack())
    assert unpack_all(packed) == (ENVELOPE, ENVELOPE)
    assert unpack_all(pack_parcel(COMMUNE, ())) == ()


def test_one_damaged_envelope_does_not_spoil_the_rest() -> None:
    packed = json.dumps({"scope": COMMUNE, "envelopes": ["{", ENVELOPE.pack().decode()]}).encode()
    assert unpack_parcel(packed)[1] == ENVELOPE.pack()
    with pytest.raises(DocumentError):
        unpack_all(packed)


def test_parcel_with_too_many_envelopes() -> None:
    many = {"scope": COMMUNE, "envelopes": ["{}"] * (ENVELOPES_IN_PARCEL_MAX + 1)}
    assert refusal(json.dumps(many).encode()) is Refusal.MALFORMED_DOCUMENT


def test_parcel_too_large_before_parsing() -> None:
    assert refusal(b"x" * (PARCEL_BYTES_MAX + 1)) is Refusal.TOO_LARGE


@pytest.mark.parametrize("data", [b"", b"[]", b'{"scope":"VN","envelopes":[]}', b'{"scope":"vn"}'])
def test_bytes_that_are_no_parcel(data: bytes) -> None:
    assert refusal(data) is Refusal.MALFORMED_DOCUMENT
