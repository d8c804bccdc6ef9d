"""The root's words: another anchor, deny epochs, and the only hand that lowers the clock's floor."""

from __future__ import annotations

from dataclasses import replace

from edge.core.events import RootReceived, RootRefused
from edge.core.output import Rung
from protocol import codec
from protocol.clock import WallMs
from protocol.denial import Denied, RootWord
from protocol.document import Kind
from protocol.errors import Refusal
from protocol.freshness import Head
from protocol.grants import ANCHOR_ID
from protocol.report import Receipt, Standing
from protocol.units import UnitPath
from simulators.desk import Desk
from tests.edge.core.office import (
    ANCHOR,
    ANCHOR_KEYS,
    COMMUNE,
    COMMUNE_KEY,
    FRESHNESS,
    PROVINCE,
    Office,
    grant_of,
    key,
    sign_document,
    sign_grant,
)

FRESH_KEYS = tuple(key(f"fresh anchor {number}") for number in range(3))
FRESH = replace(ANCHOR, keys=tuple(one.public for one in FRESH_KEYS))


def sounding(desk: Desk) -> Rung:
    return desk.sound.output.rung


def refusals(desk: Desk) -> list[tuple[str, Refusal | None]]:
    return [(one.kind, one.refusal) for one in desk.reports(Receipt) if one.standing is Standing.REFUSED]


def tell(desk: Desk, anchor: object = None, word: object = None) -> None:
    anchor, word = (None if one is None else codec.encode(one) for one in (anchor, word))
    desk.send(RootReceived(anchor, word))


def test_new_anchor_ends_what_the_old_keys_gave(desk: Desk, office: Office) -> None:
    office.publish(office.item("cu", 5_000))
    desk.advance(10_000)
    tell(desk, FRESH)
    desk.advance(1_000)
    assert sounding(desk) is Rung.SILENCE
    assert desk.state.trust.grants == {}
    office.give(sign_grant(grant_of(COMMUNE, (COMMUNE_KEY,), serial=2)))
    assert refusals(desk)[-1] == ("grant", Refusal.UNKNOWN_KEY)
    office.give(sign_grant(grant_of(COMMUNE, (COMMUNE_KEY,), serial=2), *FRESH_KEYS[:2]))
    office.publish(office.item("moi", 5_000))
    desk.advance(10_000)
    assert sounding(desk) is Rung.ORDINARY


def test_anchor_that_shares_enough_keys_keeps_the_grants(desk: Desk, office: Office) -> None:
    shared = (*ANCHOR.keys[:2], FRESH_KEYS[0].public)
    before = desk.state.trust.grants
    tell(desk, replace(ANCHOR, keys=shared))
    assert desk.state.trust.grants == before
    tell(desk, replace(ANCHOR, keys=shared))
    assert [one.kind for one in desk.reports(Receipt)].count("anchor") == 1


def test_new_anchor_survives_a_power_cut_and_a_new_enrolment_does_not_keep_it(desk: Desk, office: Office) -> None:
    tell(desk, FRESH)
    desk.cut_power(off_ms=100)
    desk.boot()
    assert desk.state.identity.anchor == FRESH
    third = replace(ANCHOR, threshold=3)
    desk.identity = replace(desk.identity, anchor=third)
    desk.cut_power(off_ms=100)
    desk.boot()
    assert desk.state.identity.anchor == third


def test_second_new_anchor_remembers_the_first_enrolment(desk: Desk) -> None:
    tell(desk, FRESH)
    tell(desk, replace(FRESH, threshold=1))
    desk.cut_power(off_ms=100)
    desk.boot()
    assert desk.state.identity.anchor.threshold == 1


def test_anchor_for_elsewhere_or_damaged_changes_nothing(desk: Desk) -> None:
    tell(desk, replace(FRESH, scope=UnitPath("vn/93")))
    desk.send(RootReceived(b"{}", b"{}"))
    desk.send(RootReceived(b"{}", b"{}"))
    desk.send(RootReceived())
    assert (
        refusals(desk)
        == [
            ("anchor", Refusal.OUT_OF_SCOPE),
            ("anchor", Refusal.MALFORMED_DOCUMENT),
            ("root-word", Refusal.MALFORMED_DOCUMENT),
        ][: len(refusals(desk))]
    )
    assert desk.state.identity.anchor == ANCHOR


def test_what_tuf_refused_is_told_once(desk: Desk) -> None:
    before = desk.state.trust
    for _ in range(3):
        desk.send(RootRefused(Refusal.EXPIRED, "timestamp.json is expired"))
    desk.send(RootRefused(Refusal.TOO_LARGE, "ạ" * 300))
    told = [one for one in desk.reports(Receipt) if one.kind == "root"]
    assert [one.refusal for one in told] == [Refusal.EXPIRED, Refusal.TOO_LARGE]
    assert desk.state.trust is before


def test_document_of_the_anchor_itself_goes_with_its_keys(desk: Desk, office: Office) -> None:
    office.give(sign_document(Kind.SCHEDULE, office.schedule(office.item("goc", 5_000)), *ANCHOR_KEYS[:2]))
    office.give(sign_document(Kind.HEAD, Head(COMMUNE, desk.wall, ()), FRESHNESS))
    tell(desk, replace(ANCHOR, keys=(*ANCHOR.keys[:2], FRESH_KEYS[0].public)))
    assert len(desk.state.trust.documents) == 2
    tell(desk, replace(FRESH, freshness_keys=(key("other freshness").public,)))
    assert desk.state.trust.documents == {}


def test_root_denies_and_an_older_word_changes_nothing(desk: Desk, office: Office) -> None:
    tell(desk, word=RootWord(2, (Denied(PROVINCE, ANCHOR_ID, 4),)))
    assert desk.state.trust.grants == {}
    assert set(desk.state.trust.denied.values()) == {4}
    tell(desk, word=RootWord(1, (Denied(PROVINCE, ANCHOR_ID, 9),)))
    tell(desk, word=RootWord(3, (Denied(PROVINCE, ANCHOR_ID, 1),)))
    assert set(desk.state.trust.denied.values()) == {4}
    desk.cut_power(off_ms=100)
    desk.boot()
    assert set(desk.state.trust.denied.values()) == {4}


def test_only_the_root_lowers_the_floor(desk: Desk, office: Office) -> None:
    office.publish(office.item("tin", 60_000))
    assert desk.state.clock.floor > 0
    tell(desk, word=RootWord(1, floor=WallMs(1)))
    assert desk.state.clock.floor == 1
    desk.cut_power(off_ms=100)
    desk.boot()
    assert desk.state.clock.floor == 1
    tell(desk, word=RootWord(1, floor=WallMs(5)))
    assert desk.state.clock.floor == 1


def test_head_goes_with_the_freshness_key_that_signed_it(desk: Desk, office: Office) -> None:
    office.give(sign_document(Kind.HEAD, Head(COMMUNE, desk.wall, ()), FRESHNESS))
    tell(desk, replace(ANCHOR, freshness_keys=(key("other freshness").public,)))
    assert desk.state.trust.grants
    assert desk.state.trust.documents == {}
