"""What is obeyed and what is refused, with its reason; nothing changes on a refusal."""

from __future__ import annotations

from dataclasses import replace

import pytest

from edge.core.acceptance import next_window
from edge.core.effects import SaveState
from edge.core.events import Booted, EnvelopeReceived, ParcelReceived, Route
from edge.core.output import ProgrammeOutput, Rung, Silence
from edge.core.trust import REFUSALS_TOLD_MAX, REFUSALS_WINDOW_MS
from edge.core.trust_state import SequenceWindow
from protocol import codec
from protocol.bulletin import BulletinClass
from protocol.clock import WallMs
from protocol.document import Kind
from protocol.envelope import Envelope, sign
from protocol.errors import DocumentError, Refusal
from protocol.limits import ALERT_ENVELOPE_BYTES_MAX, GRANTS_HELD_MAX
from protocol.parcel import pack_parcel
from protocol.report import AsRun, Receipt, Standing
from protocol.units import UnitPath
from protocol.verbs import Verb
from simulators.desk import Desk
from tests.edge.core.office import (
    COMMUNE,
    COMMUNE_KEY,
    OTHER_COMMUNE,
    OTHER_KEY,
    PROVINCE,
    PROVINCE_KEYS,
    Office,
    grant_of,
    key,
    sign_document,
    sign_grant,
)


def refusals(desk: Desk) -> list[Refusal | None]:
    return [one.refusal for one in desk.reports(Receipt) if one.standing is Standing.REFUSED]


def test_tampered_schedule_is_refused(desk: Desk, office: Office) -> None:
    envelope = sign_document(Kind.SCHEDULE, office.schedule(office.item("tin", 10_000)), COMMUNE_KEY)
    changed = replace(envelope, payload=envelope.payload.replace(b"Tin", b"Xin"))
    office.give(changed)
    desk.advance(30_000)
    assert refusals(desk) == [Refusal.BAD_SIGNATURE]
    assert desk.sound.spans == []


def test_schedule_by_unknown_key_is_refused(desk: Desk, office: Office) -> None:
    office.give(sign_document(Kind.SCHEDULE, office.schedule(office.item("tin", 10_000)), OTHER_KEY))
    assert refusals(desk) == [Refusal.UNKNOWN_KEY]


def test_schedule_by_another_communes_key_is_refused(desk: Desk, office: Office) -> None:
    office.give(sign_grant(grant_of(OTHER_COMMUNE, (OTHER_KEY,))))
    office.give(sign_document(Kind.SCHEDULE, office.schedule(office.item("tin", 10_000)), OTHER_KEY))
    assert refusals(desk) == [Refusal.UNKNOWN_KEY]


def test_commune_key_cannot_speak_for_the_province(desk: Desk, office: Office) -> None:
    office.give(sign_document(Kind.SCHEDULE, office.schedule(scope=PROVINCE), COMMUNE_KEY))
    assert refusals(desk) == [Refusal.OUT_OF_SCOPE]


def test_older_and_equal_versions_are_refused(desk: Desk, office: Office) -> None:
    old = sign_document(Kind.SCHEDULE, office.schedule(office.item("cu", 10_000)), COMMUNE_KEY)
    office.publish(office.item("moi", 60_000))
    office.give(old)
    same = office.schedule(office.item("khac", 10_000))
    office.give(sign_document(Kind.SCHEDULE, replace(same, version=2), COMMUNE_KEY))
    assert refusals(desk) == [Refusal.OLDER_VERSION, Refusal.OLDER_VERSION]


def test_older_version_stays_refused_after_a_restart(desk: Desk, office: Office) -> None:
    old = sign_document(Kind.SCHEDULE, office.schedule(office.item("cu", 10_000)), COMMUNE_KEY)
    office.publish()
    desk.cut_power(off_ms=100)
    desk.boot()
    office.give(old)
    assert refusals(desk) == [Refusal.OLDER_VERSION]


def test_refusal_of_a_retained_message_is_told_once(desk: Desk, office: Office) -> None:
    envelope = sign_document(Kind.SCHEDULE, office.schedule(), OTHER_KEY)
    office.give(envelope)
    office.give(envelope)
    assert refusals(desk) == [Refusal.UNKNOWN_KEY]


def test_refusal_changes_nothing(desk: Desk, office: Office) -> None:
    before = desk.state.trust
    office.give(sign_document(Kind.SCHEDULE, office.schedule(), OTHER_KEY))
    after = desk.state.trust
    assert replace(after, refused=(), orphans=(), refusals=before.refusals) == replace(before, refused=())


@pytest.mark.parametrize(
    ("data", "route", "reason"),
    [
        (b"", Route.DOC, Refusal.MALFORMED_ENVELOPE),
        (b"{", Route.ALERT, Refusal.MALFORMED_ENVELOPE),
        (b"x" * (ALERT_ENVELOPE_BYTES_MAX + 1), Route.ALERT, Refusal.TOO_LARGE),
        (b"x" * (600 * 1024), Route.DOC, Refusal.TOO_LARGE),
    ],
)
def test_bytes_that_are_no_envelope(desk: Desk, data: bytes, route: Route, reason: Refusal) -> None:
    desk.send(EnvelopeReceived(data, route))
    assert refusals(desk) == [reason]


def test_unknown_kind_is_refused_by_name(desk: Desk, office: Office) -> None:
    office.give(sign("karaoke", b"{}", (COMMUNE_KEY,)))
    receipt = desk.reports(Receipt)[-1]
    assert (receipt.refusal, receipt.kind) == (Refusal.UNKNOWN_TYPE, "karaoke")
    office.give(sign("attestation", b"{}", (COMMUNE_KEY,)))
    assert refusals(desk)[-1] is Refusal.UNKNOWN_TYPE


def test_parcel_with_one_bad_envelope(desk: Desk, office: Office) -> None:
    good = sign_document(Kind.SCHEDULE, office.schedule(office.item("tin", 10_000)), COMMUNE_KEY)
    bad = Envelope(good.payload_type, b"{}", good.signatures)
    desk.send(ParcelReceived(pack_parcel(COMMUNE, (bad, good)), Route.DOC))
    desk.advance(15_000)
    assert isinstance(desk.sound.output, ProgrammeOutput)
    desk.send(ParcelReceived(b"[]", Route.USB))
    assert refusals(desk) == [Refusal.BAD_SIGNATURE, Refusal.MALFORMED_DOCUMENT]


def test_expired_and_future_documents_are_refused(desk: Desk, office: Office) -> None:
    old = office.alert()
    desk.advance(700_000)
    office.give(sign_document(Kind.ALERT, old, COMMUNE_KEY), Route.ALERT)
    issued = WallMs(desk.wall + 3_600_000)
    office.alarm(issued=issued, expires=WallMs(issued + 1000))
    assert refusals(desk) == [Refusal.EXPIRED, Refusal.NOT_YET_VALID]


def test_replayed_alert_is_refused(desk: Desk, office: Office) -> None:
    first = office.alarm()
    office.cancel(first)
    office.alarm(sequence=first.sequence, id="again")
    assert refusals(desk) == [Refusal.REPLAYED]
    assert isinstance(desk.state.sound.output, Silence)


def test_alerts_out_of_order_are_both_obeyed(desk: Desk, office: Office) -> None:
    early = office.alert()
    office.alarm()
    office.give(sign_document(Kind.ALERT, early, COMMUNE_KEY), Route.ALERT)
    assert refusals(desk) == []
    assert len(desk.state.sound.output.parts) == 2  # type: ignore[union-attr]


def test_same_alert_by_two_paths_is_one(desk: Desk, office: Office) -> None:
    envelope = sign_document(Kind.ALERT, office.alert(), COMMUNE_KEY)
    office.give(envelope, Route.ALERT)
    office.give(envelope, Route.HTTP)
    received = [one for one in desk.reports(Receipt) if one.document == envelope.digest]
    assert len(received) == 1
    assert refusals(desk) == []


def test_cancel_before_its_alert(desk: Desk, office: Office) -> None:
    alert = office.alert()
    office.cancel(alert)
    office.cancel(alert)
    office.give(sign_document(Kind.ALERT, alert, COMMUNE_KEY), Route.ALERT)
    assert refusals(desk) == [Refusal.CANCELLED_BEFORE]


def test_narrower_cancel_does_not_end_a_wider_alert(desk: Desk, office: Office) -> None:
    alert = office.alert(scope=PROVINCE)
    office.give(sign_document(Kind.ALERT, alert, *PROVINCE_KEYS), Route.ALERT)
    office.cancel(alert, scope=COMMUNE)
    assert desk.state.sound.output.rung is Rung.EMERGENCY


def test_cancel_is_forgotten_after_its_time(desk: Desk, office: Office) -> None:
    office.cancel(office.alert())
    desk.advance(700_000)
    assert desk.state.trust.cancelled == ()


def test_wide_alert_needs_two_people(desk: Desk, office: Office) -> None:
    alert = office.alert(scope=PROVINCE, targets=(COMMUNE, OTHER_COMMUNE))
    office.give(sign_document(Kind.ALERT, alert, PROVINCE_KEYS[0]), Route.ALERT)
    assert refusals(desk) == [Refusal.VERB_NOT_GRANTED]
    office.give(sign_document(Kind.ALERT, alert, *PROVINCE_KEYS), Route.ALERT)
    assert desk.state.sound.output.rung is Rung.EMERGENCY


def test_too_many_alerts_are_refused(desk: Desk, office: Office) -> None:
    for _ in range(33):
        office.alarm()
    assert refusals(desk) == [Refusal.TOO_MANY]


def test_sequence_window() -> None:
    window = next_window(None, 100)
    window = next_window(window, 98)
    window = next_window(window, 200)
    assert window == SequenceWindow(200, (200,))
    with pytest.raises(DocumentError):
        next_window(window, 136)
    assert next_window(window, 137).seen == (137, 200)


# Grants


def test_grant_for_elsewhere_is_not_kept(desk: Desk, office: Office) -> None:
    held = len(desk.state.trust.grants)
    office.give(sign_grant(grant_of(OTHER_COMMUNE, (OTHER_KEY,))))
    assert len(desk.state.trust.grants) == held


def test_renewed_grant_replaces_the_former(desk: Desk, office: Office) -> None:
    fresh = key("fresh")
    office.give(sign_grant(grant_of(COMMUNE, (fresh,), serial=2)))
    office.give(sign_document(Kind.SCHEDULE, office.schedule(), COMMUNE_KEY))
    office.give(sign_document(Kind.SCHEDULE, office.schedule(), fresh))
    assert refusals(desk) == [Refusal.GRANT_RENEWED]
    office.give(sign_grant(grant_of(COMMUNE, (key("third"),), serial=2)))
    assert refusals(desk)[-1] is Refusal.OLDER_VERSION


def test_expired_grant_is_refused(desk: Desk, office: Office) -> None:
    office.give(sign_grant(grant_of(COMMUNE, (OTHER_KEY,), holder="x", expires=WallMs(desk.wall + 1000))))
    desk.advance(2000)
    office.give(sign_document(Kind.SCHEDULE, office.schedule(), OTHER_KEY))
    assert refusals(desk) == [Refusal.GRANT_EXPIRED]


def test_grant_by_too_few_anchor_keys(desk: Desk, office: Office) -> None:
    from tests.edge.core.office import ANCHOR_KEYS

    office.give(sign_grant(grant_of(COMMUNE, (OTHER_KEY,), holder="x"), ANCHOR_KEYS[0]))
    assert refusals(desk) == [Refusal.THRESHOLD_NOT_MET]


def test_chain_of_grants_survives_a_restart_in_any_order(desk: Desk, office: Office) -> None:
    middle, leaf = key("middle"), key("leaf")
    above = sign_grant(grant_of(PROVINCE, (middle,), holder="z-province", verbs=tuple(Verb), depth=1))
    office.give(above)
    below = grant_of(COMMUNE, (leaf,), holder="a-commune", parent=above.digest)
    office.give(sign_grant(below, middle))
    office.give(sign_document(Kind.SCHEDULE, office.schedule(office.item("tin", 60_000)), leaf))
    assert refusals(desk) == []
    desk.stored = dict(sorted(desk.stored.items(), reverse=True))
    desk.cut_power(off_ms=100)
    desk.boot()
    desk.advance(70_000)
    assert desk.sound.output.rung is Rung.ORDINARY


def test_too_many_grants_are_refused(desk: Desk, office: Office) -> None:
    for number in range(GRANTS_HELD_MAX):
        office.give(sign_grant(grant_of(COMMUNE, (COMMUNE_KEY,), holder=f"h{number}")))
    assert Refusal.TOO_MANY in refusals(desk)


# Heads


def test_head_by_another_key_is_refused(desk: Desk, office: Office) -> None:
    from protocol.freshness import Head

    office.give(sign_document(Kind.HEAD, Head(COMMUNE, desk.wall, ()), COMMUNE_KEY))
    assert refusals(desk) == [Refusal.UNKNOWN_KEY]


def test_head_from_the_future_is_refused(desk: Desk, office: Office) -> None:
    office.head(issued=WallMs(desk.wall + 3_600_000))
    assert refusals(desk) == [Refusal.NOT_YET_VALID]


def test_older_head_and_head_for_elsewhere_change_nothing(desk: Desk, office: Office) -> None:
    office.head()
    documents = desk.state.trust.documents
    office.head(issued=WallMs(desk.wall - 1000))
    office.head(OTHER_COMMUNE)
    assert desk.state.trust.documents == documents


# What is stored


def test_state_is_saved_before_any_other_effect(desk: Desk, office: Office) -> None:
    alert = sign_document(Kind.ALERT, office.alert(), COMMUNE_KEY)
    decision = desk.send(EnvelopeReceived(alert.pack(), Route.ALERT))
    assert isinstance(decision.effects[0], SaveState)
    assert [type(one).__name__ for one in decision.effects[1:]].count("SaveState") == 0


def test_damaged_store_is_told_and_survived(desk: Desk, office: Office) -> None:
    envelope = sign_document(Kind.SCHEDULE, office.schedule(), OTHER_KEY).pack()
    desk.send(Booted("again", b"{damaged", (b"junk", envelope), ()))
    assert desk.state.state_damaged
    desk.advance(1000)
    assert "state_damaged" in [str(one) for one in desk.state.faults]


def test_all_kinds_of_documents_survive_a_restart(desk: Desk, office: Office) -> None:
    office.configure(microphone_in_quiet_hours=False)
    office.publish(office.item("tin", 60_000))
    office.alarm()
    office.head()
    office.live(key("session"))
    office.stop(600_000)
    before = desk.state
    desk.cut_power(off_ms=0)
    desk.boot()
    assert desk.state.trust.documents.keys() == before.trust.documents.keys()
    assert desk.state.trust.grants == before.trust.grants
    assert desk.state.trust.sequences == before.trust.sequences
    assert desk.state.stop == before.stop


def test_envelope_waits_for_a_believed_clock(desk: Desk, office: Office) -> None:
    desk.cut_power(off_ms=0)
    desk.boot(clock=False)
    alert = sign_document(Kind.ALERT, office.alert(), COMMUNE_KEY)
    office.give(alert, Route.ALERT)
    office.give(alert, Route.ALERT)
    assert isinstance(desk.state.sound.output, Silence)
    desk.believe()
    desk.advance(100)
    assert desk.sound.output.rung is Rung.EMERGENCY


def test_priority_by_operator_of_place_above(desk: Desk, office: Office) -> None:
    office.publish(office.item("tinh", 5000, bulletin_class=BulletinClass.PRIORITY), scope=PROVINCE)
    desk.advance(6000)
    assert desk.sound.output.rung is Rung.PRIORITY
    desk.advance(60_000)
    assert desk.reports(AsRun)[0].item == "tinh"


def test_scope_is_compared_by_segment(desk: Desk, office: Office) -> None:
    shorter = UnitPath("vn/92/3149")
    office.give(sign_grant(grant_of(shorter, (OTHER_KEY,), holder="x")))
    office.give(sign("schedule", codec.encode(office.schedule(scope=COMMUNE)), (OTHER_KEY,)))
    assert refusals(desk) == [Refusal.UNKNOWN_KEY]


def test_document_that_came_before_its_grant_is_looked_at_again(desk: Desk, office: Office) -> None:
    fresh = key("fresh")
    office.give(sign_document(Kind.ALERT, office.alert(), fresh), Route.ALERT)
    assert isinstance(desk.state.sound.output, Silence)
    office.give(sign_grant(grant_of(COMMUNE, (fresh,), holder="moi")))
    assert desk.state.sound.output.rung is Rung.EMERGENCY


def test_orphans_are_bounded(desk: Desk, office: Office) -> None:
    for _ in range(40):
        office.give(sign_document(Kind.ALERT, office.alert(), OTHER_KEY), Route.ALERT)
    items = [office.item(f"tin-{number}", 60_000) for number in range(60)]
    office.give(sign_document(Kind.SCHEDULE, office.schedule(*items), OTHER_KEY))
    assert len(desk.state.trust.orphans) == 16


def test_flood_of_rubbish_does_not_wear_out_the_card(desk: Desk, office: Office) -> None:
    for number in range(REFUSALS_TOLD_MAX + 50):
        desk.send(EnvelopeReceived(b"rubbish %d" % number, Route.ALERT))
    told = refusals(desk)
    assert len(told) == REFUSALS_TOLD_MAX + 1
    assert told[-1] is Refusal.TOO_MANY
    desk.advance(REFUSALS_WINDOW_MS)
    desk.send(EnvelopeReceived(b"rubbish again", Route.ALERT))
    assert refusals(desk)[-1] is Refusal.MALFORMED_ENVELOPE
