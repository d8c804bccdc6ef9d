from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

import pytest

from protocol import codec
from protocol.authority import Authorised, authorise
from protocol.clock import DAY_MS, WallMs
from protocol.denial import grantor_id
from protocol.document import Kind
from protocol.envelope import Envelope, Signature, sign
from protocol.errors import DocumentError, Refusal
from protocol.freshness import Attestation, Head
from protocol.grants import HeldGrant, accept_grant
from protocol.keys import SigningKey, key_id
from protocol.units import UnitPath
from protocol.verbs import Verb
from tests.protocol.people import (
    ANCHOR,
    C1,
    COMMUNE,
    FRESHNESS,
    NOW,
    OTHER,
    P1,
    P2,
    PROVINCE,
    ROOTS,
    STRANGER,
    alert,
    cancel,
    grant,
    grant_envelope,
    hold,
    schedule,
    stop,
)

WIDE = grant(
    scope=PROVINCE,
    holder="Trực khẩn cấp",
    verbs=(Verb.ALERT, Verb.ALERT_WIDE),
    keys=(P1.public, P2.public),
    threshold=2,
)
GRANTS = hold(grant(), WIDE)
BY_ANCHOR = grantor_id(PROVINCE, "anchor")


def obey(
    kind: Kind,
    payload: bytes,
    signers: Iterable[SigningKey],
    *,
    grants: Mapping[str, HeldGrant] = GRANTS,
    wall: WallMs | None = NOW,
    denied: Mapping[str, int] | None = None,
) -> Authorised:
    return authorise(sign(kind, payload, signers), anchor=ANCHOR, grants=grants, wall=wall, denied=denied or {})


def refusal(*asked: Any, **more: Any) -> Refusal:
    with pytest.raises(DocumentError) as caught:
        obey(*asked, **more)
    return caught.value.refusal


def test_commune_operator_signs_its_schedule() -> None:
    found = obey(Kind.SCHEDULE, schedule(), [C1])
    assert (found.kind, found.holder, found.signers) == (Kind.SCHEDULE, "Xã Long Phú", {C1.public})
    assert found.digest == sign(Kind.SCHEDULE, schedule(), []).digest


def test_anchor_itself_may_speak() -> None:
    assert obey(Kind.STOP, stop(), ROOTS[1:], grants={}).holder == "anchor"


def test_stranger_is_unknown() -> None:
    assert refusal(Kind.SCHEDULE, schedule(), [STRANGER]) is Refusal.UNKNOWN_KEY
    assert refusal(Kind.SCHEDULE, schedule(), []) is Refusal.UNKNOWN_KEY


def test_freshness_key_speaks_for_nobody() -> None:
    assert refusal(Kind.SCHEDULE, schedule(), [FRESHNESS]) is Refusal.UNKNOWN_KEY


def test_tampered_schedule_is_a_bad_signature() -> None:
    envelope = replace(sign(Kind.SCHEDULE, schedule(), [C1]), payload=schedule(version=2))
    with pytest.raises(DocumentError) as caught:
        authorise(envelope, anchor=ANCHOR, grants=GRANTS, wall=NOW, denied={})
    assert caught.value.refusal is Refusal.BAD_SIGNATURE


def test_other_communes_key_is_out_of_scope() -> None:
    assert refusal(Kind.SCHEDULE, schedule(OTHER), [C1]) is Refusal.OUT_OF_SCOPE


@pytest.mark.parametrize("path", ["vn", "vn/9", "vn/92", "vn/92/314980", "vn/92/3149"])
def test_scope_is_compared_by_segment(path: str) -> None:
    assert refusal(Kind.SCHEDULE, schedule(UnitPath(path)), [C1]) is Refusal.OUT_OF_SCOPE


def test_scope_below_is_covered() -> None:
    assert obey(Kind.SCHEDULE, schedule(UnitPath("vn/92/31498/c07")), [C1]).holder == "Xã Long Phú"


def test_verb_that_was_not_granted() -> None:
    assert refusal(Kind.STOP, stop(), [C1]) is Refusal.VERB_NOT_GRANTED


def test_alert_to_several_units_needs_the_wide_verb() -> None:
    two = (COMMUNE, OTHER)
    wide = alert(two, PROVINCE)
    assert obey(Kind.ALERT, wide, [P1, P2]).holder == "Trực khẩn cấp"
    inside = (UnitPath("vn/92/31498/c01"), UnitPath("vn/92/31498/c02"))
    assert refusal(Kind.ALERT, alert(inside), [C1]) is Refusal.VERB_NOT_GRANTED
    assert refusal(Kind.CANCEL, cancel(inside), [C1]) is Refusal.VERB_NOT_GRANTED
    assert obey(Kind.CANCEL, cancel(two, PROVINCE), [P1, P2]).kind is Kind.CANCEL


@pytest.mark.parametrize("kind", [Kind.ALERT, Kind.ALERT_DRILL, Kind.ALERT_TEST])
def test_alert_of_each_kind_by_one_operator(kind: Kind) -> None:
    assert obey(kind, alert(), [C1]).kind is kind


def test_threshold_counts_people_not_signatures() -> None:
    assert refusal(Kind.ALERT, alert(scope=PROVINCE), [P1]) is Refusal.THRESHOLD_NOT_MET
    assert refusal(Kind.ALERT, alert(scope=PROVINCE), [P1, P1, P1]) is Refusal.THRESHOLD_NOT_MET
    assert refusal(Kind.ALERT, alert(scope=PROVINCE), [P1, STRANGER]) is Refusal.THRESHOLD_NOT_MET


def test_forged_second_signature_does_not_count() -> None:
    payload = alert(scope=PROVINCE)
    made = sign(Kind.ALERT, payload, [P1])
    forged = Envelope(made.payload_type, payload, (*made.signatures, Signature(key_id(P2.public), bytes(64))))
    with pytest.raises(DocumentError) as caught:
        authorise(forged, anchor=ANCHOR, grants=GRANTS, wall=NOW, denied={})
    assert caught.value.refusal is Refusal.THRESHOLD_NOT_MET


def test_signatures_of_two_grants_do_not_add_up() -> None:
    assert refusal(Kind.ALERT, alert(scope=PROVINCE), [P1, C1]) is Refusal.OUT_OF_SCOPE


def test_grant_lives_from_its_begin_to_before_its_end() -> None:
    begin, end = grant().not_before, grant().expires
    assert obey(Kind.SCHEDULE, schedule(), [C1], wall=begin)
    assert obey(Kind.SCHEDULE, schedule(), [C1], wall=WallMs(end - 1))
    assert refusal(Kind.SCHEDULE, schedule(), [C1], wall=WallMs(begin - 1)) is Refusal.GRANT_EXPIRED
    assert refusal(Kind.SCHEDULE, schedule(), [C1], wall=end) is Refusal.GRANT_EXPIRED


def test_without_a_clock_life_is_not_judged() -> None:
    old = hold(grant(expires=WallMs(NOW - DAY_MS + 1)))
    assert obey(Kind.SCHEDULE, schedule(), [C1], grants=old, wall=None)


def test_denied_epoch_silences_a_grant() -> None:
    assert refusal(Kind.SCHEDULE, schedule(), [C1], denied={BY_ANCHOR: 1}) is Refusal.GRANT_DENIED
    assert obey(Kind.SCHEDULE, schedule(), [C1], denied={BY_ANCHOR: 0, grantor_id(COMMUNE, "Xã Long Phú"): 9})


def office_and_operator() -> dict[str, HeldGrant]:
    held = hold(grant(scope=PROVINCE, holder="Phòng", verbs=(Verb.GRANT, Verb.SCHEDULE), keys=(P1.public,), depth=1))
    above = next(iter(held))
    child = grant_envelope(grant(parent=above, verbs=(Verb.SCHEDULE,), expires=WallMs(NOW + DAY_MS)), [P1])
    accepted = accept_grant(child, ANCHOR, held)
    return held | {accepted.digest: accepted}


def test_denied_parent_silences_the_child() -> None:
    held = office_and_operator()
    assert obey(Kind.SCHEDULE, schedule(), [C1], grants=held)
    assert refusal(Kind.SCHEDULE, schedule(), [C1], grants=held, denied={BY_ANCHOR: 1}) is Refusal.GRANT_DENIED


def test_child_without_its_parent_is_silent() -> None:
    held = office_and_operator()
    orphan = dict([list(held.items())[-1]])
    assert refusal(Kind.SCHEDULE, schedule(), [C1], grants=orphan) is Refusal.GRANT_WITHOUT_PARENT


def test_one_good_grant_of_two_is_enough() -> None:
    ended = grant(expires=WallMs(NOW - 1), serial=1)
    assert obey(Kind.SCHEDULE, schedule(), [C1], grants=hold(ended, grant(serial=2)))


def test_reason_shown_is_of_the_grant_that_came_furthest() -> None:
    elsewhere, ended = grant(scope=OTHER), grant(expires=WallMs(NOW - 1))
    for order in ((elsewhere, ended), (ended, elsewhere)):
        assert refusal(Kind.SCHEDULE, schedule(), [C1], grants=hold(*order)) is Refusal.GRANT_EXPIRED


def test_malformed_payload_is_read_after_its_signature() -> None:
    assert refusal(Kind.SCHEDULE, b"{", [C1]) is Refusal.MALFORMED_DOCUMENT
    assert refusal(Kind.SCHEDULE, b"{", [STRANGER]) is Refusal.UNKNOWN_KEY


def test_oversized_payload_is_named_as_such() -> None:
    """The size is checked first, so another grant's reason never hides it."""
    assert refusal(Kind.ALERT, b" " * 9000, [C1]) is Refusal.TOO_LARGE
    assert refusal(Kind.ALERT, b" " * 9000, [STRANGER]) is Refusal.TOO_LARGE


@pytest.mark.parametrize(
    ("kind", "payload"),
    [
        (Kind.GRANT, codec.encode(grant())),
        (Kind.HEAD, codec.encode(Head(COMMUNE, NOW, ()))),
        (Kind.ATTESTATION, codec.encode(Attestation("0" * 32, NOW))),
    ],
)
def test_grants_and_freshness_are_not_speech(kind: Kind, payload: bytes) -> None:
    assert refusal(kind, payload, ROOTS) is Refusal.UNKNOWN_TYPE


def test_unknown_kind_is_refused_by_name() -> None:
    with pytest.raises(DocumentError, match="poem"):
        authorise(sign("poem", b"{}", [C1]), anchor=ANCHOR, grants=GRANTS, wall=NOW, denied={})


def test_refusals_stand_in_the_order_of_the_checks() -> None:
    """One document with everything wrong shows the first reason; each repair uncovers the next."""
    shown = [
        refusal(Kind.STOP, b"{", [STRANGER]),
        refusal(Kind.ALERT, b"{", [P1]),
        refusal(Kind.SCHEDULE, b"{", [C1]),
        refusal(Kind.STOP, stop().replace(b"31498", b"31507"), [C1]),
        refusal(Kind.STOP, stop(), [C1], denied={BY_ANCHOR: 1}, wall=WallMs(0)),
        refusal(Kind.SCHEDULE, schedule(), [C1], denied={BY_ANCHOR: 1}, wall=WallMs(0)),
        refusal(Kind.SCHEDULE, schedule(), [C1], wall=WallMs(0)),
    ]
    assert shown == [
        Refusal.UNKNOWN_KEY,
        Refusal.THRESHOLD_NOT_MET,
        Refusal.MALFORMED_DOCUMENT,
        Refusal.OUT_OF_SCOPE,
        Refusal.VERB_NOT_GRANTED,
        Refusal.GRANT_DENIED,
        Refusal.GRANT_EXPIRED,
    ]
    assert shown == sorted(shown, key=list(Refusal).index)
