"""A controller that keeps something back, or shows new heads over old documents, is seen doing it."""

from __future__ import annotations

from protocol.denial import Denial
from protocol.document import Kind
from protocol.freshness import Head, Newest
from protocol.grants import ANCHOR_ID
from protocol.report import Fault, FaultCode
from protocol.units import UnitPath
from simulators.desk import Desk
from tests.edge.core.office import ANCHOR_KEYS, COMMUNE, FRESHNESS, PROVINCE, Office, sign_document


def head(office: Office, *newest: Newest) -> None:
    office.give(sign_document(Kind.HEAD, Head(COMMUNE, office.desk.wall, newest), FRESHNESS))


def faults(desk: Desk) -> list[tuple[str, bool]]:
    found = [one for one in desk.reports(Fault) if one.code is FaultCode.DOCUMENT_WITHHELD]
    return [(one.detail, one.ended is None) for one in found]


def test_new_head_over_an_old_schedule_is_told(desk: Desk, office: Office) -> None:
    office.publish(office.item("tin", 600_000))
    head(office, Newest(COMMUNE, Kind.SCHEDULE, office.version + 1))
    desk.advance(119_000)
    assert faults(desk) == []
    desk.advance(2_000)
    assert faults(desk) == [(f"schedule {office.version + 1} {COMMUNE}", True)]
    office.publish(office.item("moi", 600_000))
    assert [open_ for _, open_ in faults(desk)] == [True, False]


def test_denial_that_is_kept_back_is_told(desk: Desk, office: Office) -> None:
    word = Denial(PROVINCE, ANCHOR_ID, 2, desk.wall)
    head(office, Newest(PROVINCE, f"denial/{word.grantor}", 2))
    desk.advance(121_000)
    assert len(faults(desk)) == 1
    office.give(sign_document(Kind.DENIAL, word, *ANCHOR_KEYS[:2]))
    assert faults(desk)[-1][1] is False


def test_what_others_hold_or_nobody_knows_is_not_missed(desk: Desk, office: Office) -> None:
    elsewhere = Newest(UnitPath("vn/92/31500"), Kind.SCHEDULE, 9)
    head(office, elsewhere, Newest(COMMUNE, "poem", 9))
    desk.advance(300_000)
    assert faults(desk) == []


def test_nothing_is_missed_before_the_clock_is_believed(desk: Desk, office: Office) -> None:
    desk.cut_power(off_ms=100)
    desk.boot(clock=False)
    head(office, Newest(COMMUNE, Kind.SCHEDULE, 9))
    desk.advance(300_000)
    assert faults(desk) == []
    desk.believe()
    desk.advance(121_000)
    assert len(faults(desk)) == 1
