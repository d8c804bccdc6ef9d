"""What an emergency is made of, and how it is counted."""

from __future__ import annotations

import pytest

from controller.alerts.domain import (
    ANNOUNCEMENTS,
    AlertKind,
    AlertState,
    Progress,
    Wanted,
    common_scope,
    is_active,
    is_wide,
    kind_of_document,
    make_alert,
    outermost,
    progress,
    tally,
    wanted_again,
)
from controller.alerts.sample import SAMPLES, SEVERITIES
from controller.library.domain import check_speech
from protocol.clock import WallMs
from protocol.document import ALERT_KINDS, Kind
from protocol.limits import ALERT_TEXT_CHARS_MAX
from protocol.units import UnitPath

ONE, TWO, OTHER = UnitPath("vn/92/1"), UnitPath("vn/92/2"), UnitPath("vn/9/1")


def test_scope_of_one_place_is_the_place() -> None:
    assert common_scope((ONE,)) == ONE
    assert not is_wide((ONE,))


def test_scope_of_two_places_is_above_both() -> None:
    assert common_scope((ONE, TWO)) == UnitPath("vn/92")
    assert common_scope((ONE, OTHER)) == UnitPath("vn")
    assert common_scope((ONE, UnitPath("la/1"))) is None
    assert is_wide((ONE, TWO))


def test_place_within_another_is_left_out() -> None:
    assert outermost((UnitPath("vn/92/1/c1"), ONE, ONE, TWO)) == (ONE, TWO)


def test_three_kinds_never_alike() -> None:
    assert {kind.document_kind for kind in AlertKind} == ALERT_KINDS
    assert kind_of_document(Kind.ALERT_DRILL) is AlertKind.DRILL
    made = {kind: make_alert(wanted(kind), id="a", sequence=1, now=WallMs(0)) for kind in AlertKind}
    assert [part.text for part in made[AlertKind.ACTUAL].parts] == ["Nước lên"]
    assert made[AlertKind.DRILL].parts[0].text == ANNOUNCEMENTS[AlertKind.DRILL]
    assert made[AlertKind.TEST].parts[0].text == ANNOUNCEMENTS[AlertKind.TEST]


def test_renewal_says_the_same() -> None:
    for kind in AlertKind:
        alert = make_alert(wanted(kind), id="a", sequence=1, now=WallMs(0))
        assert wanted_again(alert, kind) == wanted(kind)


def test_ended_emergency_is_not_active() -> None:
    assert is_active(AlertState.SENT, expires=WallMs(10), now=WallMs(9))
    assert not is_active(AlertState.SENT, expires=WallMs(10), now=WallMs(10))
    assert not is_active(AlertState.CANCELLED, expires=WallMs(10), now=WallMs(9))


def test_tally_names_silent_and_refused() -> None:
    told = ["sounding", "received", "refused", "refused", "heard", None, None]
    counted = tally((progress(one) for one in told), refusals=(None, "expired", "expired"))
    assert (counted.sent, counted.received) == (7, 5)
    assert counted.count(Progress.SILENT) == 1
    assert counted.count(Progress.NO_WORD) == 2
    assert counted.reasons == {"expired": 2}


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.name)
def test_sample_can_be_spoken(sample: object) -> None:
    one = next(known for known in SAMPLES if known is sample)
    check_speech(one.text, "vi")
    assert len(one.text) <= ALERT_TEXT_CHARS_MAX
    assert one.severity in SEVERITIES


def test_repeated_emergency_still_sounds() -> None:
    assert progress("heard", sounds=True) is Progress.SOUNDING
    assert progress("heard") is Progress.HEARD
    assert progress("cancelled", sounds=True) is Progress.CANCELLED


def wanted(kind: AlertKind) -> Wanted:
    return Wanted(kind, (ONE,), "Nước lên")
