"""A commune joins another: the loudspeakers follow a signed word, old keys stop, and nobody climbs a pole."""

from __future__ import annotations

from dataclasses import replace

from edge.core.agent import initial
from edge.core.effects import Relocate
from edge.core.events import LinkChanged
from edge.core.output import Rung
from protocol.assignment import Assignment, Placement
from protocol.clock import WallMs
from protocol.document import Kind
from protocol.envelope import Envelope
from protocol.errors import Refusal
from protocol.keys import SigningKey
from protocol.report import Receipt, Standing, Status
from protocol.units import UnitPath
from protocol.verbs import Verb
from simulators.desk import Desk
from tests.edge.core.office import (
    COMMUNE,
    COMMUNE_KEY,
    IDENTITY,
    OTHER_COMMUNE,
    OTHER_KEY,
    PLACE,
    PROVINCE,
    PROVINCE_KEYS,
    Office,
    grant_of,
    sign_document,
    sign_grant,
)

THERE = UnitPath(f"{OTHER_COMMUNE}/c01")


def sounding(desk: Desk) -> Rung:
    return desk.sound.output.rung


def refusals(desk: Desk) -> list[Refusal | None]:
    return [one.refusal for one in desk.reports(Receipt) if one.standing is Standing.REFUSED]


def allow(office: Office) -> None:
    office.give(sign_grant(grant_of(PROVINCE, PROVINCE_KEYS, holder="Sở", verbs=(Verb.ASSIGN,))))


def word(desk: Desk, place: UnitPath | None = THERE, *, scope: UnitPath = PROVINCE, later_ms: int = 0) -> Assignment:
    placements = (Placement("other-device", UnitPath(f"{scope}/x")), Placement(IDENTITY.device, place, PLACE))
    return Assignment(scope, WallMs(desk.wall + later_ms), placements)


def assign(office: Office, made: Assignment, signer: SigningKey = PROVINCE_KEYS[0]) -> Envelope:
    return office.give(sign_document(Kind.ASSIGNMENT, made, signer))


def places(desk: Desk) -> list[str]:
    return [one.place for one in desk.effects if isinstance(one, Relocate)]


def test_device_follows_a_signed_word(desk: Desk, office: Office) -> None:
    allow(office)
    office.publish(office.item("cu", 5_000))
    desk.advance(10_000)
    assign(office, word(desk))
    desk.advance(2_000)
    assert sounding(desk) is Rung.SILENCE
    assert places(desk) == [THERE]
    assert desk.state.identity.place == THERE
    desk.send(LinkChanged(True))
    desk.advance(1_000)
    assert desk.reports(Status)[-1].unit == THERE
    held = {one.grant.scope for one in desk.state.trust.grants.values()}
    assert held == {PROVINCE}


def test_old_commune_is_not_obeyed_any_more_and_the_new_one_is(desk: Desk, office: Office) -> None:
    allow(office)
    assign(office, word(desk))
    office.publish(office.item("cu", 5_000))
    desk.advance(10_000)
    assert sounding(desk) is Rung.SILENCE
    office.give(sign_grant(grant_of(OTHER_COMMUNE, (OTHER_KEY,))))
    item = office.item("moi", 5_000, targets=(OTHER_COMMUNE,))
    office.give(sign_document(Kind.SCHEDULE, office.schedule(item, scope=OTHER_COMMUNE), OTHER_KEY))
    desk.advance(10_000)
    assert sounding(desk) is Rung.ORDINARY


def test_device_that_is_brought_back_hears_again_what_it_heard_before_and_nothing_older(
    desk: Desk, office: Office
) -> None:
    allow(office)
    made = (office.schedule(office.item(name, 5_000)) for name in ("cu", "moi"))
    older, same = (sign_document(Kind.SCHEDULE, one, COMMUNE_KEY) for one in made)
    office.give(same)
    assign(office, word(desk))
    assign(office, word(desk, PLACE, later_ms=1_000))
    office.give(sign_grant(grant_of(COMMUNE, (COMMUNE_KEY,))))
    office.give(older)
    assert refusals(desk) == [Refusal.OLDER_VERSION]
    office.give(same)
    desk.advance(10_000)
    assert sounding(desk) is Rung.ORDINARY


def test_move_survives_a_power_cut(desk: Desk, office: Office) -> None:
    allow(office)
    assign(office, word(desk))
    desk.effects.clear()
    desk.cut_power(off_ms=1_000)
    desk.boot()
    assert places(desk) == [THERE]
    assert desk.state.identity.place == THERE


def test_move_survives_lost_registers(desk: Desk, office: Office) -> None:
    allow(office)
    assign(office, word(desk))
    desk.registers = None
    desk.cut_power(off_ms=1_000)
    desk.boot()
    assert desk.state.identity.place == THERE
    assign(office, word(desk, PLACE, later_ms=-10_000))
    assert refusals(desk)[-1] is Refusal.OLDER_VERSION


def test_new_enrolment_counts_again(desk: Desk, office: Office) -> None:
    allow(office)
    assign(office, word(desk))
    elsewhere = UnitPath(f"{COMMUNE}/c99")
    desk.identity = replace(IDENTITY, place=elsewhere)
    desk.state = initial(desk.identity)
    desk.stored.clear()
    desk.cut_power(off_ms=1_000)
    desk.boot()
    assert desk.state.identity.place == elsewhere
    assert desk.state.trust.transfer is None


def test_old_word_brings_no_device_back(desk: Desk, office: Office) -> None:
    allow(office)
    home = word(desk, PLACE)
    desk.advance(5_000)
    assign(office, word(desk))
    assign(office, home)
    assert refusals(desk) == [Refusal.OLDER_VERSION]
    assert desk.state.identity.place == THERE


def test_word_about_others_changes_nothing(desk: Desk, office: Office) -> None:
    allow(office)
    made = word(desk)
    assign(office, replace(made, placements=made.placements[:1]))
    assert places(desk) == []
    assert desk.state.trust.transfer is None


def test_word_out_of_service_moves_nothing(desk: Desk, office: Office) -> None:
    allow(office)
    assign(office, word(desk, None))
    assert places(desk) == []
    assert desk.state.identity.place == PLACE
    assert [one.kind for one in desk.reports(Receipt)][-1] == Kind.ASSIGNMENT


def test_commune_cannot_fetch_another_communes_device(desk: Desk, office: Office) -> None:
    office.give(sign_grant(grant_of(PROVINCE, PROVINCE_KEYS, holder="Sở", verbs=(Verb.GRANT, Verb.ASSIGN), depth=2)))
    made = Assignment(OTHER_COMMUNE, desk.wall, (Placement(IDENTITY.device, THERE),))
    assign(office, made)
    assert refusals(desk) == [Refusal.OUT_OF_SCOPE]
    assert desk.state.identity.place == PLACE


def test_word_needs_the_verb(desk: Desk, office: Office) -> None:
    assign(office, word(desk))
    assert refusals(desk) == [Refusal.VERB_NOT_GRANTED]


def test_word_waits_for_a_clock_and_is_not_from_the_future(desk: Desk, office: Office) -> None:
    allow(office)
    assign(office, word(desk, later_ms=3_600_000))
    assert refusals(desk) == [Refusal.NOT_YET_VALID]
    desk.cut_power(off_ms=100)
    desk.boot(clock=False)
    assign(office, word(desk))
    assert places(desk) == []
    desk.believe()
    assert places(desk) == [THERE]


def test_alert_to_the_old_commune_ends_and_to_both_goes_on(desk: Desk, office: Office) -> None:
    allow(office)
    office.alarm()
    verbs = (Verb.ALERT, Verb.ALERT_WIDE)
    office.give(sign_grant(grant_of(PROVINCE, PROVINCE_KEYS, holder="one", verbs=verbs)))
    wide = office.alert(scope=PROVINCE, targets=(COMMUNE, OTHER_COMMUNE))
    office.give(sign_document(Kind.ALERT, wide, PROVINCE_KEYS[0]))
    office.publish(office.item("tinh", 600_000), scope=PROVINCE)
    assign(office, word(desk))
    desk.advance(2_000)
    kinds = sorted(str(one.kind) for one in desk.state.trust.documents.values())
    assert kinds == ["alert", "assignment", "schedule"]
    assert sounding(desk) is Rung.EMERGENCY
