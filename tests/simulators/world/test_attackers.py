"""What attackers do in the world: each kind is refused for its own reason, and nothing of it is ever heard."""

from __future__ import annotations

import pytest

from edge.core.events import AttestationReceived
from edge.core.output import AlertOutput
from protocol.document import Kind
from protocol.errors import Refusal
from protocol.report import AsRun, FaultCode
from simulators.world.attackers import WANTS, WAYS
from simulators.world.clock import DAWN
from simulators.world.paths import PATHS
from simulators.world.people import in_words
from simulators.world.plan import Happening
from simulators.world.world import World
from tests.simulators.world.play import DEVICE, HOUR_MS, MINUTE_MS, NIGHT, SIX, UNIT, Story, alert, change, play

LAST = 50 * MINUTE_MS


def still_obeys(*happenings: Happening, hours: float = 0.9, devices: int = 1) -> Story:
    """Plays attacks in the night, then a true emergency: only that is heard, and no rule was broken."""
    story = play(*happenings, alert(LAST, life_ms=20_000), hours=hours, devices=devices)
    assert story.world is not None
    signed = story.world.offices.signed
    heard = [one.output for _, one in story.heard(DEVICE)]
    assert [isinstance(one, AlertOutput) and one.document in signed for one in heard] == [True]
    assert story.violations == ()
    return story


def forged(at_ms: int, way: str, kind: Kind, path: str, *, who: str = UNIT) -> Happening:
    """One document that its signer may not sign."""
    return Happening(at_ms, who, "attack.forged", 0, in_words(way=way, kind=kind, path=path))


# Documents.


@pytest.mark.slow
@pytest.mark.parametrize("way", WAYS)
def test_forged_documents_are_refused_whatever_their_kind_and_path(way: str) -> None:
    """Material for those that begin with something true comes first: a test, and the commune's own documents."""
    attacks = [
        forged(NIGHT + 10_000 * number, way, kind, PATHS[number % len(PATHS)]) for number, kind in enumerate(WANTS)
    ]
    exercise = alert(NIGHT - MINUTE_MS, kind=Kind.ALERT_TEST, life_ms=5000)
    story = still_obeys(exercise, *attacks, devices=6 if way == "neighbour" else 1)
    told = set(story.refusals(device=DEVICE))
    assert told, "a device says that somebody tries"
    assert told <= WAYS[way][1] | {Refusal.NOT_BY_STICK}
    assert len(story.received("schedule", DEVICE)) == 2, "the province's and the commune's"


def test_forged_document_by_each_path_is_refused() -> None:
    attacks = [forged(NIGHT + MINUTE_MS * one, "named", Kind.ALERT, path) for one, path in enumerate(PATHS)]
    story = still_obeys(*attacks)
    assert story.refusals() == [Refusal.BAD_SIGNATURE] * len(PATHS)


def test_signed_test_shown_as_actual_is_refused() -> None:
    story = still_obeys(
        alert(NIGHT, kind=Kind.ALERT_TEST, life_ms=10 * MINUTE_MS),
        forged(NIGHT + MINUTE_MS, "retyped", Kind.ALERT, "alert"),
    )
    assert story.refusals("alert") == [Refusal.BAD_SIGNATURE]


def test_everything_ever_signed_comes_again() -> None:
    """Old schedules are older, commands of before are known or over, and grants are held."""
    changes = [Happening(NIGHT + one * MINUTE_MS, UNIT, "people.overtaken", 0, "controller") for one in range(3)]
    replays = [
        Happening(2 * NIGHT + 20_000 * one, UNIT, "attack.replayed", one, PATHS[one % len(PATHS)])
        for one in range(20)
    ]
    early = alert(MINUTE_MS * 2, life_ms=30_000)
    story = play(early, *changes, *replays, alert(LAST, life_ms=20_000), hours=0.9)
    known = {Refusal.OLDER_VERSION, Refusal.EXPIRED, Refusal.REPLAYED, Refusal.NOT_BY_STICK}
    assert set(story.refusals()) <= known
    assert Refusal.OLDER_VERSION in story.refusals()
    assert len([one for _, one in story.heard(DEVICE) if isinstance(one.output, AlertOutput)]) == 2
    assert story.violations == ()


@pytest.mark.slow
def test_bytes_that_are_nothing_change_nothing() -> None:
    sizes = ("0", "1", "30", "500", "9000", "16385", "huge")
    nothings = [in_words(door=door, size=size) for door in ("alert", "doc", "live", "stick") for size in sizes]
    attacks = [Happening(NIGHT + 1000 * at, DEVICE, "attack.rubbish", at, one) for at, one in enumerate(nothings)]
    story = still_obeys(*attacks)
    assert set(story.refusals()) == {Refusal.TOO_LARGE, Refusal.MALFORMED_ENVELOPE, Refusal.MALFORMED_DOCUMENT}


@pytest.mark.slow
def test_flood_holds_up_no_emergency() -> None:
    story = still_obeys(Happening(LAST - 10_000, UNIT, "attack.flood", 120, "alert"))
    began = next(one.at for one in story.told("sound.began", DEVICE))
    assert began - DAWN - LAST < 2000


# Live speech.


@pytest.mark.slow
@pytest.mark.parametrize("way", ("replayed", "forged", "swapped", "cut_off"))
def test_segments_that_nobody_speaks_are_not_heard(way: str) -> None:
    words = in_words(life_s=600, gap_at=0, gap_s=0, goodbye="no", **{"class": "ordinary"})
    attack = Happening(SIX + 3 * MINUTE_MS, UNIT, "attack.live", 0, way)
    story = play(Happening(SIX, UNIT, "people.live", 10, words), attack, hours=6.1)
    assert not story.heard(DEVICE, since_ms=SIX + MINUTE_MS)
    refused = {"replayed": [], "forged": [Refusal.BAD_SIGNATURE], "swapped": [Refusal.BAD_SIGNATURE]}
    assert story.refusals("live-session") == refused.get(way, [Refusal.MALFORMED_DOCUMENT])


# The controller taken.


@pytest.mark.parametrize(
    ("way", "refusals"),
    [
        ("names_nothing", []),
        ("future", [Refusal.NOT_YET_VALID]),
        ("soon", []),
        ("past", []),
        ("stranger", [Refusal.UNKNOWN_KEY]),
    ],
)
def test_false_head_makes_nothing_play(way: str, refusals: list[Refusal]) -> None:
    story = still_obeys(Happening(NIGHT, UNIT, "attack.head", 0, way))
    assert story.refusals() == refusals
    faults = {one.thing.code for one in story.told("report.fault")}
    assert (FaultCode.DOCUMENT_WITHHELD in faults) is (way == "names_nothing")


@pytest.mark.parametrize("way", ("old", "emptied", "rubbish", "huge"))
def test_retained_parcel_that_was_spoiled_changes_nothing(way: str) -> None:
    changed = Happening(NIGHT - MINUTE_MS, UNIT, "people.overtaken", 0, "controller")
    cut = Happening(NIGHT + MINUTE_MS, DEVICE, "power.cut", MINUTE_MS)
    story = still_obeys(changed, Happening(NIGHT, UNIT, "attack.retained", 0, way), cut)
    assert story.world is not None
    state = story.world.devices[DEVICE].state
    assert state is not None
    assert {schedule.scope: schedule.version for _, schedule in state.force.schedules}[UNIT] == 3


@pytest.mark.slow
@pytest.mark.parametrize("way", ("short", "same", "long"))
def test_swapped_programme_is_not_played(way: str) -> None:
    swapped = Happening(SIX, "controller", "attack.media", 5 * MINUTE_MS, way)
    story = play(swapped, change(SIX + 10_000, in_s=60, seconds=600), hours=6.4)
    heard = story.heard(DEVICE, since_ms=SIX)
    assert heard[0][0] > SIX + 5 * MINUTE_MS, "the true bytes came, and it is joined at its present offset"
    assert FaultCode.MEDIA_MISSING in {one.thing.code for one in story.told("report.fault")}


def without_witnesses(world: World) -> None:
    """Neither a clock chip nor NTP: the controller alone can tell the hour."""
    for device in world.devices.values():
        device.chip = device.cell = None
        device.servers.away = True


@pytest.mark.parametrize("hours_off", (-400 * 24, 24))
def test_lie_about_the_hour_lets_nothing_sound(hours_off: int) -> None:
    """Below the floor it is not believed; above it a village without any other clock is wrong, and sounds nothing."""
    lie = Happening(NIGHT, "controller", "attack.clock", 30 * MINUTE_MS, str(hours_off * HOUR_MS))
    cut = Happening(NIGHT + MINUTE_MS, DEVICE, "power.cut", 1000)
    story = play(lie, cut, alert(NIGHT + 10 * MINUTE_MS), hours=0.6, before=without_witnesses)
    answers = [one for one in story.told("told", DEVICE) if isinstance(one.thing.event, AttestationReceived)]
    assert len(answers) > 1
    assert story.world is not None
    assert story.world.front.lied
    assert not story.heard(DEVICE)


@pytest.mark.slow
@pytest.mark.parametrize("mute", ("yes", "no"))
def test_taken_controller_makes_no_loudspeaker_speak(mute: str) -> None:
    words = in_words(clock=HOUR_MS, mute=mute, way="named")
    story = still_obeys(Happening(NIGHT, "controller", "attack.controller", 20 * MINUTE_MS, words), devices=6)
    assert Refusal.BAD_SIGNATURE in story.refusals()


# Reports.


def test_false_reports_change_no_device_and_are_known_to_be_false() -> None:
    story = still_obeys(
        Happening(NIGHT, DEVICE, "attack.report", 0, "as_run"),
        Happening(NIGHT + 1000, DEVICE, "attack.report", 0, "receipt"),
    )
    assert story.world is not None
    false = [
        one.thing.id for one in story.told("report.asrun") if isinstance(one.thing, AsRun) and one.thing.rung == 6
    ]
    assert set(false) == story.world.front.false_reports
