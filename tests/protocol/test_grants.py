from dataclasses import replace
from typing import Any

import pytest

from protocol import codec
from protocol.clock import DAY_MS, WallMs
from protocol.document import Kind
from protocol.envelope import sign
from protocol.errors import DocumentError, Refusal
from protocol.grants import Anchor, Grant, accept_grant, as_grant, chain, missing_signature, read_anchor
from protocol.keys import SigningKey
from protocol.limits import ALERT_ENVELOPE_BYTES_MAX, GRANT_CHAIN_MAX
from protocol.units import UnitPath
from protocol.verbs import Verb
from tests.protocol.people import ANCHOR, C1, COMMUNE, NOW, P1, P2, PROVINCE, ROOTS, STRANGER, grant, grant_envelope

OFFICE = {"verbs": (Verb.GRANT, Verb.SCHEDULE), "keys": (P1.public, P2.public), "threshold": 1, "depth": 2}


def refusal(made: Grant, *, signers: Any = ROOTS[:2], held: Any = None) -> Refusal:
    with pytest.raises(DocumentError) as caught:
        accept_grant(grant_envelope(made, signers), ANCHOR, held or {})
    return caught.value.refusal


def office(**changed: Any) -> dict[str, Any]:
    """The province's office, which may grant further."""
    made = accept_grant(grant_envelope(grant(**{"scope": PROVINCE} | OFFICE | changed)), ANCHOR, {})
    return {made.digest: made}


def below(held: dict[str, Any], **changed: Any) -> Grant:
    return grant(parent=next(iter(held)), verbs=(Verb.SCHEDULE,), **changed)


def test_grant_below_the_anchor() -> None:
    envelope = grant_envelope(grant())
    held = accept_grant(envelope, ANCHOR, {})
    assert (held.digest, held.grant) == (envelope.digest, grant())


def test_grant_below_a_grant() -> None:
    held = office()
    made = below(held)
    accepted = accept_grant(grant_envelope(made, [P2]), ANCHOR, held)
    assert chain(accepted, held) == (accepted, *held.values())


def test_anchor_threshold_counts_distinct_keys() -> None:
    assert refusal(grant(), signers=ROOTS[:1]) is Refusal.THRESHOLD_NOT_MET
    assert refusal(grant(), signers=[ROOTS[0]] * 3) is Refusal.THRESHOLD_NOT_MET
    assert refusal(grant(), signers=[ROOTS[0], STRANGER]) is Refusal.THRESHOLD_NOT_MET
    assert refusal(grant(), signers=[STRANGER]) is Refusal.UNKNOWN_KEY
    assert refusal(grant(), signers=[]) is Refusal.UNKNOWN_KEY


def test_false_signature_of_a_known_key() -> None:
    envelope = grant_envelope(grant())
    other = replace(envelope, payload=codec.encode(grant(serial=2)))
    with pytest.raises(DocumentError) as caught:
        accept_grant(other, ANCHOR, {})
    assert caught.value.refusal is Refusal.BAD_SIGNATURE
    assert missing_signature(other, [C1.public]) is Refusal.UNKNOWN_KEY


def test_parent_nobody_holds() -> None:
    assert refusal(grant(parent="a" * 64)) is Refusal.GRANT_WITHOUT_PARENT


def test_parent_that_may_not_grant() -> None:
    held = office(verbs=(Verb.SCHEDULE,))
    assert refusal(below(held), signers=[P1], held=held) is Refusal.VERB_NOT_GRANTED


def test_one_of_two_parents_is_named() -> None:
    """Both offices hold the key; the child lies inside the one it names, not inside the other."""
    wide, narrow = office(serial=1), office(serial=2, scope=UnitPath("vn/92/31507"))
    both = wide | narrow
    child = below(wide)
    assert accept_grant(grant_envelope(child, [P1]), ANCHOR, both).grant.parent == next(iter(wide))
    assert refusal(below(narrow), signers=[P1], held=both) is Refusal.GRANT_WIDER_THAN_PARENT


@pytest.mark.parametrize(
    "changed",
    [
        {"scope": UnitPath("vn")},
        {"scope": UnitPath("vn/9")},
        {"scope": UnitPath("vn/920")},
        {"verbs": (Verb.SCHEDULE, Verb.ALERT)},
        {"depth": 2},
        {"depth": 3},
        {"not_before": WallMs(NOW - 2 * DAY_MS)},
        {"expires": WallMs(NOW + 61 * DAY_MS)},
    ],
    ids=lambda changed: next(iter(changed)),
)
def test_grant_wider_than_its_parent(changed: dict[str, Any]) -> None:
    held = office()
    made = replace(below(held), **changed)
    assert refusal(made, signers=[P1], held=held) is Refusal.GRANT_WIDER_THAN_PARENT


def test_other_kind_is_no_grant() -> None:
    """A schedule whose bytes also read as a grant must not become one."""
    envelope = sign(Kind.SCHEDULE, codec.encode(grant()), ROOTS[:2])
    with pytest.raises(DocumentError) as caught:
        accept_grant(envelope, ANCHOR, {})
    assert caught.value.refusal is Refusal.UNKNOWN_TYPE


@pytest.mark.parametrize(
    ("changed", "detail"),
    [
        ({"keys": (C1.public, C1.public)}, "a key is listed twice"),
        ({"keys": (), "threshold": 1}, "fewer keys than the threshold"),
        ({"threshold": 2}, "fewer keys than the threshold"),
        ({"expires": WallMs(NOW - DAY_MS)}, "ends after it begins"),
        ({"scope": UnitPath("VN")}, "unit path"),
    ],
)
def test_grant_that_cannot_be(changed: dict[str, Any], detail: str) -> None:
    with pytest.raises(ValueError, match=detail):
        grant(**changed)


def test_grant_with_a_small_order_key_is_malformed() -> None:
    value = codec.parse_json(codec.encode(grant()), bytes_max=4096)
    value["keys"] = ["01" + "00" * 31]
    with pytest.raises(DocumentError, match="small order") as caught:
        codec.build(Grant, value)
    assert caught.value.refusal is Refusal.MALFORMED_DOCUMENT


def test_oversized_grant_is_refused() -> None:
    value = codec.parse_json(codec.encode(grant()), bytes_max=4096) | {"padding": "x" * ALERT_ENVELOPE_BYTES_MAX}
    envelope = sign(Kind.GRANT, codec.encode(value), ROOTS[:2])
    with pytest.raises(DocumentError) as caught:
        accept_grant(envelope, ANCHOR, {})
    assert caught.value.refusal is Refusal.TOO_LARGE


def test_chain_is_as_long_as_the_anchor_allows() -> None:
    held: dict[str, Any] = {}
    signers: Any = ROOTS[:2]
    for depth in reversed(range(GRANT_CHAIN_MAX)):
        parent = next(reversed(held), "anchor")
        made = grant(verbs=(Verb.GRANT,), keys=(P1.public,), depth=depth, parent=parent, scope=PROVINCE)
        accepted = accept_grant(grant_envelope(made, signers), ANCHOR, held)
        held[accepted.digest] = accepted
        signers = [P1]
    links = chain(accepted, held)
    assert links is not None
    assert len(links) == GRANT_CHAIN_MAX
    assert refusal(grant(verbs=(), parent=accepted.digest, depth=0), signers=[P1], held=held) in (
        Refusal.GRANT_WIDER_THAN_PARENT,
    )
    first = next(iter(held))
    assert chain(accepted, {digest: one for digest, one in held.items() if digest != first}) is None


def test_chain_longer_than_allowed_is_none() -> None:
    held: dict[str, Any] = {}
    for at in range(GRANT_CHAIN_MAX + 1):
        parent = str(at - 1) if at else "anchor"
        held[str(at)] = replace(next(iter(office().values())), digest=str(at), grant=grant(parent=parent))
    assert chain(held[str(GRANT_CHAIN_MAX)], held) is None
    assert chain(held[str(GRANT_CHAIN_MAX - 1)], held) is not None


def test_anchor_file_is_read() -> None:
    assert read_anchor(codec.encode(ANCHOR)) == ANCHOR
    assert as_grant(ANCHOR).verbs == tuple(Verb)


@pytest.mark.parametrize(
    "data", [b"", b"{}", b"[]", b"x" * (ALERT_ENVELOPE_BYTES_MAX + 1), codec.encode(ANCHOR)[:-1]]
)
def test_file_that_is_no_anchor(data: bytes) -> None:
    with pytest.raises(DocumentError):
        read_anchor(data)


def test_anchor_checks_every_key() -> None:
    small = "01" + "00" * 31
    with pytest.raises(DocumentError, match="small order"):
        Anchor(COMMUNE, (C1.public,), 1, (small,))
    with pytest.raises(DocumentError, match="small order"):
        Anchor(COMMUNE, (small,), 1, ())
    with pytest.raises(ValueError, match="threshold"):
        Anchor(COMMUNE, (SigningKey.generate().public,), 2, ())
