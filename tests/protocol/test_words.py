"""Assignments, denials and the root's word: what they may say, and who may say it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from protocol import codec
from protocol.assignment import Assignment, Placement, newest_words
from protocol.authority import authorise
from protocol.clock import DAY_MS, WallMs
from protocol.denial import Denial, Denied, RootWord, grantor_id, read_root_word
from protocol.document import Kind
from protocol.envelope import sign
from protocol.errors import DocumentError, Refusal
from protocol.grants import ANCHOR_ID, Anchor, HeldGrant, accept_all, accept_grant, read_anchor
from protocol.keys import SigningKey
from protocol.units import UnitPath
from protocol.verbs import Verb
from tests.protocol.people import (
    ANCHOR,
    C1,
    COMMUNE,
    NOW,
    OTHER,
    P1,
    P2,
    PROVINCE,
    ROOTS,
    grant,
    grant_envelope,
    hold,
    schedule,
)

HORN = UnitPath(f"{COMMUNE}/h01")


def word(*placements: Placement, scope: UnitPath = PROVINCE, issued: WallMs = NOW) -> Assignment:
    return Assignment(scope, issued, placements)


def refused(kind: Kind, payload: bytes, signers: list[SigningKey], grants: dict[str, HeldGrant]) -> Refusal:
    with pytest.raises(DocumentError) as caught:
        authorise(sign(kind, payload, signers), anchor=ANCHOR, grants=grants, wall=NOW, denied={})
    return caught.value.refusal


def test_newest_word_on_each_device_counts() -> None:
    first = word(Placement("a", HORN), Placement("b", UnitPath(f"{COMMUNE}/h02")))
    later = word(Placement("a", UnitPath(f"{OTHER}/h01"), HORN), issued=WallMs(NOW + 1))
    gone = word(Placement("b"), issued=WallMs(NOW + 2))
    assert newest_words([gone, later, first]) == {"a": f"{OTHER}/h01", "b": None}
    assert later.of("a") == Placement("a", UnitPath(f"{OTHER}/h01"), HORN)
    assert later.of("b") is None


@pytest.mark.parametrize(
    "placements",
    [
        (),
        (Placement("a", HORN), Placement("a", HORN)),
        (Placement("a", UnitPath("vn/93/1/h01")),),
        (Placement("a", HORN, UnitPath("vn/93/1/h01")),),
        (Placement("a", PROVINCE),),
        (Placement("A b", HORN),),
        (Placement("a", UnitPath("vn/92//h")),),
    ],
)
def test_impossible_assignments_are_malformed(placements: tuple[Placement, ...]) -> None:
    with pytest.raises(ValueError):
        word(*placements)


def test_moving_needs_the_verb_and_both_places() -> None:
    held = hold(grant(scope=COMMUNE, verbs=(Verb.ASSIGN,)))
    own = codec.encode(word(Placement("a", HORN), scope=COMMUNE))
    assert authorise(sign(Kind.ASSIGNMENT, own, [C1]), anchor=ANCHOR, grants=held, wall=NOW, denied={}).grant in held
    wide = codec.encode(word(Placement("a", HORN, UnitPath(f"{OTHER}/h01"))))
    assert refused(Kind.ASSIGNMENT, wide, [C1], held) is Refusal.OUT_OF_SCOPE
    assert refused(Kind.ASSIGNMENT, own, [C1], hold(grant())) is Refusal.VERB_NOT_GRANTED


def denial(scope: UnitPath = COMMUNE, holder: str = "Xã Long Phú", epoch: int = 1) -> bytes:
    return codec.encode(Denial(scope, holder, epoch, NOW))


def test_grantor_denies_for_itself_only() -> None:
    held = hold(grant(verbs=(Verb.GRANT, Verb.SCHEDULE), depth=1))
    own = sign(Kind.DENIAL, denial(), [C1])
    found = authorise(own, anchor=ANCHOR, grants=held, wall=NOW, denied={})
    assert isinstance(found.document, Denial)
    assert found.document.grantor == grantor_id(COMMUNE, "Xã Long Phú")
    assert refused(Kind.DENIAL, denial(holder="Trạm khác"), [C1], held) is Refusal.VERB_NOT_GRANTED
    assert refused(Kind.DENIAL, denial(PROVINCE, ANCHOR_ID), [C1], held) is Refusal.OUT_OF_SCOPE
    assert refused(Kind.DENIAL, denial(), [C1], hold(grant())) is Refusal.VERB_NOT_GRANTED


def test_one_above_denies_for_those_below() -> None:
    held = hold(grant(scope=PROVINCE, holder="Sở", verbs=(Verb.GRANT,), keys=(P1.public,), depth=2))
    below = sign(Kind.DENIAL, denial(), [P1])
    assert authorise(below, anchor=ANCHOR, grants=held, wall=NOW, denied={}).holder == "Sở"
    by_root = sign(Kind.DENIAL, denial(PROVINCE, ANCHOR_ID), ROOTS[:2])
    assert authorise(by_root, anchor=ANCHOR, grants={}, wall=NOW, denied={}).holder == ANCHOR_ID
    assert refused(Kind.DENIAL, denial(PROVINCE, ANCHOR_ID), [P1], held) is Refusal.VERB_NOT_GRANTED


def test_one_above_in_the_same_scope_denies_too() -> None:
    committee = grant(scope=PROVINCE, holder="Uỷ ban", verbs=(Verb.GRANT,), keys=(P1.public,), depth=2)
    held = hold(committee)
    below = grant(
        scope=PROVINCE, holder="Sở", verbs=(Verb.GRANT,), keys=(P2.public,), depth=1, parent=next(iter(held))
    )
    office = accept_grant(grant_envelope(below, [P1]), ANCHOR, held)
    everything = held | {office.digest: office}
    by_root = sign(Kind.DENIAL, denial(PROVINCE, "Uỷ ban"), ROOTS[:2])
    assert authorise(by_root, anchor=ANCHOR, grants=everything, wall=NOW, denied={}).holder == ANCHOR_ID
    down = sign(Kind.DENIAL, denial(PROVINCE, "Sở"), [P1])
    assert authorise(down, anchor=ANCHOR, grants=everything, wall=NOW, denied={}).holder == "Uỷ ban"
    assert refused(Kind.DENIAL, denial(PROVINCE, "Uỷ ban"), [P2], everything) is Refusal.VERB_NOT_GRANTED
    assert refused(Kind.DENIAL, denial(PROVINCE, "ai đó"), [P2], everything) is Refusal.VERB_NOT_GRANTED


def test_renewed_grant_speaks_no_more_itself() -> None:
    former, renewed = grant(), grant(serial=2, keys=(P2.public,), not_before=NOW)
    held = hold(former, renewed)
    assert refused(Kind.SCHEDULE, schedule(), [C1], held) is Refusal.GRANT_RENEWED
    envelope = sign(Kind.SCHEDULE, schedule(), [C1])
    assert authorise(envelope, anchor=ANCHOR, grants=held, wall=NOW, denied={}, past=True).holder == former.holder
    before = authorise(envelope, anchor=ANCHOR, grants=held, wall=WallMs(NOW - 1), denied={})
    assert before.signers == {C1.public}


def test_operator_was_told_to_use_the_key_that_was_used() -> None:
    """Renewed with the same key, as every ninety days, and then run out or taken back: that is what is told."""
    former, renewed = grant(), grant(serial=2, expires=NOW)
    assert refused(Kind.SCHEDULE, schedule(), [C1], hold(former, renewed)) is Refusal.GRANT_EXPIRED
    denied = {grantor_id(ANCHOR.scope, ANCHOR_ID): 9}
    with pytest.raises(DocumentError) as caught:
        envelope = sign(Kind.SCHEDULE, schedule(), [C1])
        authorise(envelope, anchor=ANCHOR, grants=hold(former, grant(serial=2)), wall=NOW, denied=denied)
    assert caught.value.refusal is Refusal.GRANT_DENIED


def test_renewal_of_another_office_changes_nothing() -> None:
    held = hold(grant(), grant(serial=2, holder="Trạm khác", keys=(P2.public,)))
    assert authorise(sign(Kind.SCHEDULE, schedule(), [C1]), anchor=ANCHOR, grants=held, wall=NOW, denied={})


def test_child_of_a_renewed_grant_lives_on() -> None:
    station = grant(verbs=(Verb.GRANT, Verb.SCHEDULE), keys=(P1.public,), depth=1)
    held = hold(station)
    child = grant(holder="Bà Sáu", verbs=(Verb.SCHEDULE,), parent=next(iter(held)), expires=WallMs(NOW + DAY_MS))
    below = accept_grant(grant_envelope(child, [P1]), ANCHOR, held)
    everything = held | hold(replace(station, serial=2)) | {below.digest: below}
    assert authorise(sign(Kind.SCHEDULE, schedule(), [C1]), anchor=ANCHOR, grants=everything, wall=NOW, denied={})
    denied = {below.grantor: 1}
    with pytest.raises(DocumentError) as caught:
        envelope = sign(Kind.SCHEDULE, schedule(), [C1])
        authorise(envelope, anchor=ANCHOR, grants=everything, wall=NOW, denied=denied)
    assert caught.value.refusal is Refusal.GRANT_DENIED


def test_grants_are_accepted_in_any_order() -> None:
    station = grant_envelope(grant(verbs=(Verb.GRANT, Verb.SCHEDULE), keys=(P1.public,), depth=1))
    child = grant(holder="Bà Sáu", verbs=(Verb.SCHEDULE,), parent=station.digest, expires=WallMs(NOW + DAY_MS))
    stranger = grant_envelope(grant(parent="f" * 64))
    held, left = accept_all([grant_envelope(child, [P1]), stranger, station], ANCHOR, {})
    assert {one.grant.holder for one in held.values()} == {"Xã Long Phú", "Bà Sáu"}
    assert left == [stranger]


def test_root_word_is_read() -> None:
    made = RootWord(3, (Denied(PROVINCE, ANCHOR_ID, 2),), WallMs(NOW))
    assert read_root_word(codec.encode(made)) == made
    assert made.denied[0].grantor == grantor_id(PROVINCE, ANCHOR_ID)


def test_log_key_is_checked() -> None:
    made = replace(ANCHOR, log_key="0a" * 32)
    assert read_anchor(codec.encode(made)) == made
    with pytest.raises(DocumentError):
        read_anchor(codec.encode(made).replace(b'"0a', b'"0A'))
    assert isinstance(made, Anchor)
