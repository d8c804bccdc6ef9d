import base64
import json
from typing import Any

import pytest

from protocol.document import Kind, kind_of
from protocol.envelope import (
    Envelope,
    Signature,
    countersign,
    payload_type,
    pre_authentication_encoding,
    sign,
    unpack,
    unpack_alert,
)
from protocol.errors import DocumentError, Refusal
from protocol.keys import key_id
from protocol.limits import ALERT_ENVELOPE_BYTES_MAX, ENVELOPE_BYTES_MAX, SIGNATURES_MAX
from tests.protocol.people import C1, P1, P2, STRANGER


def wire(**changed: Any) -> bytes:
    made = json.loads(sign("schedule", b"{}", [C1]).pack())
    return json.dumps(made | changed).encode()


def refusal(data: bytes) -> Refusal:
    with pytest.raises(DocumentError) as caught:
        unpack(data)
    return caught.value.refusal


def test_envelope_survives_the_wire() -> None:
    made = sign("schedule", '{"à":1}'.encode(), [C1, P1])
    assert unpack(made.pack()) == made
    assert made.signers([C1.public, P1.public, P2.public]) == {C1.public, P1.public}


def test_dsse_example_bytes() -> None:
    """The example of the DSSE specification."""
    signed = pre_authentication_encoding("http://example.com/HelloWorld", b"hello world")
    assert signed == b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"


def test_type_is_signed_too() -> None:
    drill = sign("alert-drill", b"{}", [C1])
    claimed = Envelope(payload_type("alert"), drill.payload, drill.signatures)
    assert claimed.signers([C1.public]) == frozenset()
    assert claimed.digest != drill.digest


def test_kind_is_read_from_the_type() -> None:
    assert sign("alert-test", b"", []).kind == "alert-test"
    assert Envelope("text/plain", b"", ()).kind == "text/plain"


@pytest.mark.parametrize("kind", Kind)
def test_every_kind_is_known(kind: Kind) -> None:
    assert kind_of(sign(kind, b"", [])) is kind


def test_unknown_kind_is_refused_by_name() -> None:
    with pytest.raises(DocumentError, match=r"unknown_type: application/vnd\.loalang\.poem\.v1\+json"):
        kind_of(sign("poem", b"", []))


def test_digest_does_not_depend_on_signers() -> None:
    assert sign("stop", b"{}", [C1]).digest == sign("stop", b"{}", [P1, P2]).digest


def test_countersigning_adds_and_replaces() -> None:
    once = sign("stop", b"{}", [P1])
    twice = countersign(countersign(once, P2), P1)
    assert [one.key_id for one in twice.signatures] == [key_id(P2.public), key_id(P1.public)]
    assert twice.signers([P1.public, P2.public]) == {P1.public, P2.public}


def test_key_listed_thrice_counts_once() -> None:
    made = sign("stop", b"{}", [C1, C1, C1])
    assert len(made.signatures) == 3
    assert made.signers([C1.public, C1.public]) == {C1.public}


def test_borrowed_name_does_not_count() -> None:
    forged = Signature(key_id(C1.public), STRANGER.sign(sign("stop", b"{}", []).signed_bytes()))
    assert Envelope(payload_type("stop"), b"{}", (forged,)).signers([C1.public]) == frozenset()


@pytest.mark.parametrize(
    "changed",
    [
        {"payload": "%%%"},
        {"payload": "e30"},
        {"payload": "e31="},
        {"payload": "e3 0="},
        {"payload": "é"},
        {"payload": 7},
        {"payloadType": None},
        {"payloadType": "x" * 201},
        {"signatures": {}},
        {"signatures": [{"keyid": "a"}]},
        {"signatures": [{"keyid": "a", "sig": "AAAA"}]},
        {"signatures": [{"keyid": "a", "sig": "!"}]},
        {"signatures": [{"keyid": "a", "sig": base64.b64encode(bytes(64)).decode()}] * (SIGNATURES_MAX + 1)},
    ],
)
def test_malformed_envelope_is_refused(changed: dict[str, Any]) -> None:
    assert refusal(wire(**changed)) is Refusal.MALFORMED_ENVELOPE


def test_bytes_that_are_no_envelope() -> None:
    assert refusal(b"") is Refusal.MALFORMED_ENVELOPE
    assert refusal(b"[]") is Refusal.MALFORMED_ENVELOPE


def test_oversized_before_parsing() -> None:
    assert refusal(b"x" * (ENVELOPE_BYTES_MAX + 1)) is Refusal.TOO_LARGE


def test_unknown_fields_of_an_envelope_are_ignored() -> None:
    assert unpack(wire(added=[1])).payload == b"{}"


def test_alert_topic_takes_small_ones_only() -> None:
    small = sign("alert", b"{}", [C1])
    assert unpack_alert(small.pack()) == small
    large = sign("alert", b" " * ALERT_ENVELOPE_BYTES_MAX, [C1])
    assert unpack(large.pack()) == large
    with pytest.raises(DocumentError) as caught:
        unpack_alert(large.pack())
    assert caught.value.refusal is Refusal.TOO_LARGE
