"""Grants that are renewed, taken back and given anew, and what becomes of the documents that stood on them."""

from __future__ import annotations

from dataclasses import replace

from edge.core.at_hand import StopMark
from edge.core.output import Rung
from protocol.alert import Stop
from protocol.clock import DAY_MS, WallMs
from protocol.denial import Denial
from protocol.document import Kind
from protocol.envelope import Envelope
from protocol.errors import Refusal
from protocol.grants import ANCHOR_ID
from protocol.keys import SigningKey
from protocol.limits import GRANTS_HELD_MAX
from protocol.report import Receipt, Standing
from protocol.units import UnitPath
from protocol.verbs import Verb
from simulators.desk import Desk
from tests.edge.core.office import (
    ANCHOR_KEYS,
    COMMUNE,
    COMMUNE_KEY,
    PROVINCE,
    Office,
    grant_of,
    key,
    sign_document,
    sign_grant,
)

LEAF, THIEF = key("leaf"), key("thief")
STATION = "Đài xã"


def sounding(desk: Desk) -> Rung:
    return desk.sound.output.rung


def refusals(desk: Desk) -> list[Refusal | None]:
    return [one.refusal for one in desk.reports(Receipt) if one.standing is Standing.REFUSED]


def denial(desk: Desk, epoch: int = 1, holder: str = ANCHOR_ID, scope: UnitPath = PROVINCE) -> Denial:
    return Denial(scope, holder, epoch, desk.wall)


def deny(office: Office, denied: Denial, *keys: SigningKey) -> Envelope:
    return office.give(sign_document(Kind.DENIAL, denied, *(keys or ANCHOR_KEYS[:2])))


def chain(office: Office, leaf: SigningKey = LEAF) -> None:
    """A station that may grant, and an operator under it."""
    verbs = (*(Verb.GRANT, Verb.SCHEDULE, Verb.ALERT, Verb.STOP),)
    above = sign_grant(grant_of(COMMUNE, (key("station"),), holder=STATION, verbs=verbs, depth=1))
    office.give(above)
    below = grant_of(COMMUNE, (leaf,), holder="Bà Sáu", verbs=verbs[1:], parent=above.digest)
    office.give(sign_grant(below, key("station")))


def test_denied_operator_falls_silent_at_once(desk: Desk, office: Office) -> None:
    chain(office, THIEF)
    office.give(sign_document(Kind.SCHEDULE, office.schedule(office.item("gia", 5_000)), THIEF))
    desk.advance(10_000)
    assert sounding(desk) is Rung.ORDINARY
    deny(office, denial(desk, holder=STATION, scope=COMMUNE), key("station"))
    desk.advance(1_000)
    assert sounding(desk) is Rung.SILENCE
    assert refusals(desk) == [Refusal.GRANT_DENIED]
    office.give(sign_document(Kind.SCHEDULE, office.schedule(office.item("nua", 5_000)), THIEF))
    assert refusals(desk)[-1] is Refusal.UNKNOWN_KEY
    desk.cut_power(off_ms=1_000)
    desk.boot()
    desk.advance(20_000)
    assert sounding(desk) is Rung.SILENCE


def test_denied_grant_does_not_come_back(desk: Desk, office: Office) -> None:
    chain(office)
    old = office.sent[-1]
    deny(office, denial(desk, holder=STATION, scope=COMMUNE))
    desk.cut_power(off_ms=100)
    desk.boot()
    office.give(old)
    assert refusals(desk)[-1] is Refusal.GRANT_DENIED


def test_deny_epoch_never_falls(desk: Desk, office: Office) -> None:
    deny(office, denial(desk, epoch=3))
    deny(office, denial(desk, epoch=2))
    assert refusals(desk)[-1] is Refusal.OLDER_VERSION
    assert set(desk.state.trust.denied.values()) == {3}


def test_deny_epoch_survives_lost_registers(desk: Desk, office: Office) -> None:
    deny(office, denial(desk, epoch=3))
    desk.registers = None
    desk.cut_power(off_ms=100)
    desk.boot()
    assert set(desk.state.trust.denied.values()) == {3}
    assert desk.state.trust.grants == {}


def test_denial_waits_for_a_clock(desk: Desk, office: Office) -> None:
    desk.cut_power(off_ms=100)
    desk.boot(clock=False)
    deny(office, denial(desk))
    assert desk.state.trust.denied == {}
    desk.believe()
    assert desk.state.trust.denied


def test_denial_elsewhere_does_not_concern_us(desk: Desk, office: Office) -> None:
    deny(office, denial(desk, holder="x", scope=UnitPath("vn/92/31500")))
    assert desk.state.trust.denied == {}


def test_thief_who_signed_version_nine_billion_locks_nobody_out(desk: Desk, office: Office) -> None:
    chain(office, THIEF)
    office.give(sign_document(Kind.SCHEDULE, replace(office.schedule(), version=9_000_000_000), THIEF))
    deny(office, denial(desk, holder=STATION, scope=COMMUNE))
    office.publish(office.item("tin", 5_000))
    desk.advance(10_000)
    assert sounding(desk) is Rung.ORDINARY
    desk.cut_power(off_ms=100)
    desk.boot()
    desk.advance(1_000)
    assert sounding(desk) is Rung.ORDINARY


def test_key_that_is_named_again_still_binds(desk: Desk, office: Office) -> None:
    old = office.publish(office.item("cu", 5_000))
    office.publish(office.item("moi", 600_000))
    deny(office, denial(desk))
    office.give(sign_grant(grant_of(COMMUNE, (COMMUNE_KEY,), epoch=1, serial=2)))
    office.give(old)
    assert refusals(desk)[-1] is Refusal.OLDER_VERSION
    desk.advance(10_000)
    assert sounding(desk) is Rung.SILENCE


def test_honest_operator_who_was_granted_anew_first_goes_on_without_a_break(desk: Desk, office: Office) -> None:
    office.publish(office.item("tin", 5_000))
    office.configure(amplifier_hold_ms=500)
    desk.advance(10_000)
    office.give(sign_grant(grant_of(COMMUNE, (COMMUNE_KEY,), epoch=1, serial=2)))
    deny(office, denial(desk))
    desk.advance(1_000)
    assert sounding(desk) is Rung.ORDINARY
    assert refusals(desk) == []
    desk.cut_power(off_ms=1_000)
    desk.boot()
    desk.advance(1_000)
    assert sounding(desk) is Rung.ORDINARY


def test_grant_that_was_renewed_away_keeps_no_document_of_a_fallen_key(desk: Desk, office: Office) -> None:
    chain(office, THIEF)
    office.give(sign_grant(grant_of(COMMUNE, (THIEF,), holder="khác")))
    office.give(sign_grant(grant_of(COMMUNE, (key("heir"),), holder="khác", serial=2)))
    office.give(sign_document(Kind.SCHEDULE, office.schedule(office.item("gia", 5_000)), THIEF))
    desk.advance(10_000)
    deny(office, denial(desk, holder=STATION, scope=COMMUNE), key("station"))
    desk.advance(1_000)
    assert sounding(desk) is Rung.SILENCE


def test_documents_come_back_when_the_denial_came_first(desk: Desk, office: Office) -> None:
    older = office.publish(office.item("cu", 5_000))
    newer = office.publish(office.item("moi", 5_000))
    rules = office.configure(amplifier_hold_ms=500)
    deny(office, denial(desk))
    assert refusals(desk) == [Refusal.GRANT_DENIED] * 2
    office.give(sign_grant(grant_of(COMMUNE, (COMMUNE_KEY,), epoch=1, serial=2)))
    for envelope in (older, newer, rules):
        office.give(envelope)
    assert refusals(desk)[2:] == [Refusal.OLDER_VERSION]
    desk.advance(10_000)
    assert sounding(desk) is Rung.ORDINARY


def test_stop_of_a_thief_ends_with_the_grant(desk: Desk, office: Office) -> None:
    chain(office, THIEF)
    wall = desk.wall
    stop = Stop(COMMUNE, 1, wall, WallMs(wall + 60_000), WallMs(wall + 3_600_000), (COMMUNE,))
    office.give(sign_document(Kind.STOP, stop, THIEF))
    assert desk.state.stop == StopMark(stop.until, "Bà Sáu")
    deny(office, denial(desk, holder=STATION, scope=COMMUNE))
    assert desk.state.stop is None


def test_operator_keeps_speaking_when_the_station_is_renewed(desk: Desk, office: Office) -> None:
    chain(office)
    verbs = (Verb.GRANT, Verb.SCHEDULE)
    office.give(sign_grant(grant_of(COMMUNE, (key("new station"),), holder=STATION, verbs=verbs, depth=1, serial=2)))
    office.give(sign_document(Kind.SCHEDULE, office.schedule(office.item("tin", 5_000)), LEAF))
    desk.advance(10_000)
    assert sounding(desk) is Rung.ORDINARY
    assert refusals(desk) == []


def test_schedule_outlives_the_renewal_of_its_signers_grant(desk: Desk, office: Office) -> None:
    office.publish(office.item("tin", 60_000))
    office.give(sign_grant(grant_of(COMMUNE, (key("new"),), serial=2)))
    desk.cut_power(off_ms=100)
    desk.boot()
    desk.advance(65_000)
    assert sounding(desk) is Rung.ORDINARY


def test_older_serial_is_a_link_beside_the_newest_only(desk: Desk, office: Office) -> None:
    first = sign_grant(grant_of(COMMUNE, (THIEF,), holder="Trạm"))
    office.give(sign_grant(grant_of(COMMUNE, (key("new"),), holder="Trạm", serial=5)))
    office.give(first)
    office.give(sign_document(Kind.SCHEDULE, office.schedule(), THIEF))
    assert refusals(desk) == [Refusal.GRANT_RENEWED]
    trust = desk.state.trust
    only_old = {name: one for name, one in trust.grants.items() if one.grant.holder != "Trạm"}
    desk.state = replace(desk.state, trust=replace(trust, grants=only_old))
    office.give(first)
    assert refusals(desk)[-1] is Refusal.OLDER_VERSION


def test_room_is_made_by_what_nothing_stands_on(desk: Desk, office: Office) -> None:
    office.publish(office.item("tin", 60_000))
    for serial in range(2, GRANTS_HELD_MAX + 9):
        office.give(sign_grant(grant_of(COMMUNE, (COMMUNE_KEY,), serial=serial)))
    assert refusals(desk) == []
    assert len(desk.state.trust.grants) <= GRANTS_HELD_MAX
    assert any(one.grant.serial == 1 for one in desk.state.trust.grants.values())


def test_too_many_offices_are_refused(desk: Desk, office: Office) -> None:
    for number in range(GRANTS_HELD_MAX + 1):
        office.give(sign_grant(grant_of(COMMUNE, (COMMUNE_KEY,), holder=f"h{number}")))
    assert set(refusals(desk)) == {Refusal.TOO_MANY}


def test_expired_parent_stays_while_a_child_hangs_on_it(desk: Desk, office: Office) -> None:
    soon = WallMs(desk.wall + 1000)
    verbs = (Verb.GRANT, Verb.SCHEDULE)
    above = sign_grant(grant_of(COMMUNE, (key("s"),), holder=STATION, verbs=verbs, depth=1, expires=soon))
    office.give(above)
    office.give(
        sign_grant(
            grant_of(COMMUNE, (LEAF,), holder="a", verbs=(Verb.SCHEDULE,), parent=above.digest, expires=soon),
            key("s"),
        )
    )
    desk.advance(DAY_MS)
    for number in range(GRANTS_HELD_MAX):
        office.give(sign_grant(grant_of(COMMUNE, (COMMUNE_KEY,), holder=f"h{number}")))
    assert not any(one.grant.holder in ("a", STATION) for one in desk.state.trust.grants.values()) or refusals(desk)
