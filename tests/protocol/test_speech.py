"""The rules inside speech documents: lifetimes, targets, ids."""

from typing import Any

import pytest

from protocol.alert import Alert, Cancel, Part, Stop
from protocol.bulletin import BulletinClass, Explicit, MediaRef
from protocol.clock import DAY_MS, ClockTrust, MonoMs, Now, WallMs
from protocol.document import KINDS, Kind, required_verb
from protocol.freshness import Attestation, Head
from protocol.live import LiveSession
from protocol.schedule import Item, Programme, Relay, Schedule
from protocol.units import UnitPath
from protocol.verbs import Verb
from tests.protocol.people import C1, COMMUNE, NOW, OTHER, PROVINCE

MINUTE = 60_000
MEDIA = MediaRef("a" * 64, 1000, 90_000)


def item(name: str, targets: tuple[UnitPath, ...] = (COMMUNE,), **changed: Any) -> Item:
    made: dict[str, Any] = {"content": Programme(MEDIA), "when": Explicit((NOW,)), "targets": targets}
    return Item(name, name, BulletinClass.ORDINARY, **made | changed)


def schedule(*items: Item, life: int = DAY_MS) -> Schedule:
    return Schedule(COMMUNE, 1, NOW, WallMs(NOW + life), items)


def alert(life: int = MINUTE, **changed: Any) -> Alert:
    made: dict[str, Any] = {"severity": 1, "targets": (COMMUNE,), "parts": (Part("vi", "x"),)}
    return Alert(COMMUNE, "a", 1, NOW, WallMs(NOW + life), **made | changed)


def session(life: int = MINUTE, **changed: Any) -> LiveSession:
    made: dict[str, Any] = {"id": "0" * 32, "key": C1.public, "targets": (COMMUNE,)}
    made |= {"sequence": 1, "issued": NOW, "expires": WallMs(NOW + life), "bulletin_class": BulletinClass.PRIORITY}
    return LiveSession(COMMUNE, **made | changed)


def test_length_comes_from_the_content() -> None:
    assert item("a").content.duration_ms == 90_000
    assert Relay(99_900, 5000).duration_ms == 5000


@pytest.mark.parametrize("life", [0, -1, 92 * DAY_MS + 1])
def test_schedule_life(life: int) -> None:
    assert schedule(life=92 * DAY_MS)
    with pytest.raises(ValueError, match="92 days"):
        schedule(life=life)


def test_two_items_with_one_id() -> None:
    with pytest.raises(ValueError, match="same id"):
        schedule(item("a"), item("a"))


@pytest.mark.parametrize("targets", [(), (OTHER,), (PROVINCE,), (COMMUNE, OTHER), (UnitPath("vn/92/314980"),)])
def test_item_speaks_within_its_unit(targets: tuple[UnitPath, ...]) -> None:
    with pytest.raises(ValueError, match=r"at least one unit|not within"):
        schedule(item("a", targets))


def test_target_must_be_a_path() -> None:
    with pytest.raises(ValueError, match="unit path"):
        alert(targets=(UnitPath("vn/92/31498/"),))


@pytest.mark.parametrize("life", [0, -1, 30 * MINUTE + 1])
def test_emergency_life(life: int) -> None:
    assert alert(life=30 * MINUTE)
    with pytest.raises(ValueError, match="30 minutes"):
        alert(life=life)
    with pytest.raises(ValueError, match="30 minutes"):
        Cancel(COMMUNE, "a", NOW, WallMs(NOW + life), (COMMUNE,))
    with pytest.raises(ValueError, match="30 minutes"):
        Stop(COMMUNE, 1, NOW, WallMs(NOW + life), WallMs(NOW + 1), (COMMUNE,))


@pytest.mark.parametrize("length", [0, -1, DAY_MS + 1])
def test_stop_length(length: int) -> None:
    assert Stop(COMMUNE, 1, NOW, WallMs(NOW + 1), WallMs(NOW + DAY_MS), (COMMUNE,))
    with pytest.raises(ValueError, match="a day"):
        Stop(COMMUNE, 1, NOW, WallMs(NOW + 1), WallMs(NOW + length), (COMMUNE,))


def test_emergency_says_something() -> None:
    with pytest.raises(ValueError, match="at least one language"):
        alert(parts=())


@pytest.mark.parametrize("life", [0, 4 * 3_600_000 + 1])
def test_live_session_life(life: int) -> None:
    assert session(life=4 * 3_600_000)
    with pytest.raises(ValueError, match="4 hours"):
        session(life=life)


@pytest.mark.parametrize("name", ["", "0" * 31, "G" * 32, "A" * 32])
def test_live_session_id(name: str) -> None:
    with pytest.raises(ValueError, match="session id"):
        session(id=name)


def test_live_session_with_a_small_order_key() -> None:
    with pytest.raises(Exception, match="small order"):
        session(key="01" + "00" * 31)


@pytest.mark.parametrize("nonce", ["", "0" * 31, "0" * 33, "A" * 32])
def test_nonce_that_is_none(nonce: str) -> None:
    with pytest.raises(ValueError, match="nonce"):
        Attestation(nonce, NOW)


def test_head_checks_its_scope() -> None:
    with pytest.raises(ValueError, match="unit path"):
        Head(UnitPath(""), NOW, ())


def test_every_kind_has_a_rule() -> None:
    assert set(KINDS) == set(Kind)


def test_verb_of_each_document() -> None:
    assert required_verb(Kind.SCHEDULE, schedule()) is Verb.SCHEDULE
    assert required_verb(Kind.ALERT_DRILL, alert()) is Verb.ALERT
    assert required_verb(Kind.ALERT, alert(targets=(COMMUNE, UnitPath(f"{COMMUNE}/c1")))) is Verb.ALERT_WIDE
    with pytest.raises(AssertionError, match="rules of their own"):
        required_verb(Kind.HEAD, schedule())


def test_clock_trust_grows() -> None:
    now = Now(MonoMs(1), NOW, ClockTrust.ATTESTED)
    assert ClockTrust.NONE < now.clock < ClockTrust.AGREED
