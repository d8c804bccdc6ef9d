"""Stored programmes: at their second, once, merged by class, resumed, lost and told."""

from __future__ import annotations

import pytest

from edge.core.effects import DeleteMedia, FetchMedia, SwitchOutput
from edge.core.events import MediaFailed, MediaLost, TalkPressed, TalkReleased
from edge.core.output import ProgrammeOutput, Rung, Silence
from protocol.bulletin import BulletinClass, CatchUp, Weekly
from protocol.clock import local_datetime, local_second
from protocol.report import AsRun, EndReason, Fault, FaultCode, Receipt, Standing
from simulators.desk import Desk
from tests.edge.core.office import COMMUNE, OTHER_COMMUNE, PROVINCE, Office, media


def standings(desk: Desk, item: str) -> list[Standing]:
    return [one.standing for one in desk.reports(Receipt) if one.item == item]


def played(desk: Desk) -> list[tuple[str, int, int]]:
    return [(out.item, begin, end) for begin, end, out in desk.sound.spans if isinstance(out, ProgrammeOutput)]


def test_programme_plays_at_its_second(desk: Desk, office: Office) -> None:
    start = desk.wall + 30_000
    office.publish(office.item("tin", 30_000))
    desk.advance(120_000)
    assert played(desk) == [("tin", start, start + 60_000)]
    assert standings(desk, "tin") == [Standing.READY, Standing.SOUNDING, Standing.HEARD]
    record = desk.reports(AsRun)[0]
    assert (record.item, record.began, record.ended) == ("tin", start, start + 60_000)
    assert record.end_reason is EndReason.COMPLETE


def test_switch_is_told_ahead(desk: Desk, office: Office) -> None:
    office.publish(office.item("tin", 30_000))
    desk.advance(28_000)
    switch = next(one for one in desk.effects if isinstance(one, SwitchOutput))
    assert switch.at == desk.mono + 2000
    assert isinstance(desk.sound.output, Silence)


def test_switch_is_told_early_enough_for_a_cold_player(desk: Desk, office: Office) -> None:
    office.publish(office.item("tin", 30_000))
    desk.advance(23_000)
    switch = next(one for one in desk.effects if isinstance(one, SwitchOutput))
    assert switch.at == desk.mono + 7000


def test_what_follows_waits_until_the_one_before_has_begun(desk: Desk, office: Office) -> None:
    office.publish(office.item("mot", 30_000, duration_ms=8000), office.item("hai", 38_000, duration_ms=20_000))
    start = desk.wall + 30_000
    desk.advance(29_900)
    told = [one.output for one in desk.effects if isinstance(one, SwitchOutput)]
    items = {one.item for one in told if isinstance(one, ProgrammeOutput)}
    assert items == {"mot"}, "what is told replaces what was told and has not begun"
    desk.advance(40_000)
    assert [item for item, _, _ in played(desk)] == ["mot", "hai"]
    assert played(desk)[1][1] == start + 8000


def test_deleted_item_is_silent_although_told_ahead(desk: Desk, office: Office) -> None:
    office.publish(office.item("tin", 30_000))
    desk.advance(28_500)
    office.publish()
    desk.advance(60_000)
    assert played(desk) == []


def test_new_version_does_not_disturb_what_sounds(desk: Desk, office: Office) -> None:
    item = office.item("tin", 10_000)
    office.publish(item)
    desk.advance(30_000)
    office.publish(item, office.item("sau", 300_000))
    desk.advance(60_000)
    assert len(played(desk)) == 1


def test_programme_of_weekly_recurrence(desk: Desk, office: Office) -> None:
    today = local_datetime(desk.wall).date().isoformat()
    when = Weekly((1, 2, 3, 4, 5, 6, 7), local_second(desk.wall) + 60, today, "2030-01-01")
    office.publish(office.item("hang-ngay", 0, when=when))
    desk.advance(2 * 86_400_000 + 300_000)
    assert [start % 86_400_000 for _, start, _ in played(desk)] == [played(desk)[0][1] % 86_400_000] * 3


def test_ordinary_item_from_above_is_not_obeyed(desk: Desk, office: Office) -> None:
    office.publish(office.item("tinh", 10_000), scope=PROVINCE)
    desk.advance(120_000)
    assert played(desk) == []
    assert not any(isinstance(one, FetchMedia) for one in desk.effects)


def test_item_for_other_commune_is_ignored(desk: Desk, office: Office) -> None:
    item = office.item("ho", 10_000, targets=(OTHER_COMMUNE,), bulletin_class=BulletinClass.PRIORITY)
    office.publish(item, scope=PROVINCE)
    desk.advance(120_000)
    assert played(desk) == []


def test_priority_interrupts_ordinary_which_goes_on(desk: Desk, office: Office) -> None:
    begin = desk.wall + 10_000
    office.publish(office.item("thuong", 10_000, duration_ms=180_000))
    urgent = office.item("uu-tien", 40_000, bulletin_class=BulletinClass.PRIORITY)
    office.publish(urgent, scope=PROVINCE)
    desk.advance(300_000)
    assert played(desk) == [
        ("thuong", begin, begin + 30_000),
        ("uu-tien", begin + 30_000, begin + 90_000),
        ("thuong", begin + 90_000, begin + 180_000),
    ]
    logs = [one for one in desk.reports(AsRun) if one.item == "thuong"]
    assert [one.end_reason for one in logs] == [EndReason.INTERRUPTED, EndReason.COMPLETE]
    assert [one.lost_ms for one in logs] == [0, 60_000]


def test_interrupted_with_too_little_left_ends(desk: Desk, office: Office) -> None:
    office.publish(office.item("thuong", 10_000))
    desk.advance(20_000)
    desk.send(TalkPressed(False))
    desk.advance(25_000)
    desk.send(TalkReleased())
    desk.advance(60_000)
    assert [name for name, _, _ in played(desk)] == ["thuong"]
    lost = [one for one in desk.reports(AsRun) if one.source == "lost"]
    assert lost[0].lost_ms == 50_000
    assert standings(desk, "thuong")[-1] is Standing.HEARD


@pytest.mark.parametrize("commune_first", [False, True])
def test_colliding_priorities_follow_each_other(desk: Desk, office: Office, commune_first: bool) -> None:
    above = office.item("tinh", 10_000, bulletin_class=BulletinClass.PRIORITY)
    own = office.item("xa", 10_000, bulletin_class=BulletinClass.PRIORITY)
    office.publish(above, scope=PROVINCE)
    office.publish(own, precedence=(f"{COMMUNE}#xa",) if commune_first else ())
    desk.advance(300_000)
    order = ["xa", "tinh"] if commune_first else ["tinh", "xa"]
    assert [name for name, _, _ in played(desk)] == order
    assert [end - begin for _, begin, end in played(desk)] == [60_000, 60_000]


def test_media_missing_is_a_fault_and_silence(desk: Desk, office: Office) -> None:
    desk.reachable = frozenset()
    office.publish(office.item("tin", 10_000))
    desk.advance(90_000)
    assert played(desk) == []
    faults = desk.reports(Fault)
    assert [one.code for one in faults] == [FaultCode.MEDIA_MISSING, FaultCode.MEDIA_MISSING]
    assert [one.ended is None for one in faults] == [True, False]
    assert standings(desk, "tin") == [Standing.UNHEARD]


def test_late_media_joins_at_present_offset(desk: Desk, office: Office) -> None:
    from edge.core.events import MediaStored

    desk.reachable = frozenset()
    start = desk.wall + 10_000
    office.publish(office.item("tin", 10_000, duration_ms=120_000))
    desk.advance(40_000)
    desk.send(MediaStored(media("tin").digest))
    desk.advance(120_000)
    assert played(desk) == [("tin", start + 30_000, start + 120_000)]


@pytest.mark.parametrize(
    ("policy", "parts"),
    [
        (CatchUp.RESUME, [(0, 60_000), (70_000, 180_000)]),
        (CatchUp.RESTART, [(0, 60_000), (70_000, 250_000)]),
        (CatchUp.SKIP, [(0, 60_000)]),
    ],
)
def test_power_cut_catches_up_by_policy(
    desk: Desk, office: Office, policy: CatchUp, parts: list[tuple[int, int]]
) -> None:
    start = desk.wall + 10_000
    office.publish(office.item("tin", 10_000, duration_ms=180_000, catch_up=policy))
    desk.advance(70_000)
    desk.cut_power(off_ms=10_000)
    desk.boot()
    desk.advance(400_000)
    assert [(begin - start, end - start) for _, begin, end in played(desk)] == parts


@pytest.mark.parametrize(
    ("policy", "parts"),
    [(CatchUp.RESUME, [(60_000, 180_000)]), (CatchUp.RESTART, [(60_000, 240_000)]), (CatchUp.SKIP, [])],
)
def test_start_missed_while_off_by_policy(
    desk: Desk, office: Office, policy: CatchUp, parts: list[tuple[int, int]]
) -> None:
    start = desk.wall + 10_000
    office.publish(office.item("tin", 10_000, duration_ms=180_000, catch_up=policy))
    desk.advance(5000)
    desk.cut_power(off_ms=65_000)
    desk.boot()
    desk.advance(400_000)
    assert [(begin - start, end - start) for _, begin, end in played(desk)] == parts


def test_played_occurrence_is_not_repeated_after_boot(desk: Desk, office: Office) -> None:
    office.publish(office.item("tin", 10_000))
    desk.advance(80_000)
    desk.cut_power(off_ms=1000)
    desk.boot()
    desk.advance(200_000)
    assert len(played(desk)) == 1


def test_clock_step_back_does_not_repeat(desk: Desk, office: Office) -> None:
    office.publish(office.item("tin", 10_000))
    desk.advance(80_000)
    desk.offset -= 59_000
    desk.advance(200_000)
    assert len(played(desk)) == 1


def test_broken_source_is_retried_then_given_up(desk: Desk, office: Office) -> None:
    office.publish(office.item("tin", 5000, duration_ms=120_000))
    desk.advance(10_000)
    for _ in range(3):
        desk.break_source()
        desk.advance(1500)
    desk.advance(30_000)
    assert isinstance(desk.sound.output, Silence)
    codes = [one.code for one in desk.reports(Fault)]
    assert FaultCode.PLAYER_FAILED in codes and FaultCode.MEDIA_MISSING in codes
    assert len([one for one in desk.reports(AsRun) if one.end_reason is EndReason.SOURCE_FAILED]) == 3


def test_unheard_programme_is_told(desk: Desk, office: Office) -> None:
    office.publish(office.item("tin", 5000))
    desk.sound.level_cdb = -12_000
    desk.advance(120_000)
    assert standings(desk, "tin")[-1] is Standing.UNHEARD
    assert FaultCode.SOUND_MISSING in [one.code for one in desk.reports(Fault)]


def test_downloads_go_by_need_and_old_media_stays(desk: Desk, office: Office) -> None:
    office.publish(office.item("muon", 600_000), office.item("som", 60_000))
    fetched = [one.media for one in desk.effects if isinstance(one, FetchMedia)]
    assert fetched == [media("som"), media("muon")]
    desk.advance(1000)
    desk.reachable = frozenset()
    office.publish(office.item("moi", 700_000))
    desk.advance(1000)
    assert not any(isinstance(one, DeleteMedia) for one in desk.effects)
    desk.reachable = None
    office.publish(office.item("khac", 800_000))
    desk.advance(1000)
    deleted = {one.digest for one in desk.effects if isinstance(one, DeleteMedia)}
    assert deleted == {media("som").digest, media("muon").digest, media("moi").digest}


def test_damaged_media_is_told_and_fetched_again(desk: Desk, office: Office) -> None:
    office.publish(office.item("tin", 600_000))
    desk.advance(1000)
    desk.send(MediaLost(media("tin").digest))
    assert len([one for one in desk.effects if isinstance(one, FetchMedia)]) == 2
    desk.send(MediaFailed(media("tin").digest, damaged=True, full=True))
    codes = {one.code for one in desk.reports(Fault)}
    assert codes == {FaultCode.MEDIA_DAMAGED, FaultCode.STORAGE_FULL}
    desk.advance(90_000)
    ended = {one.code for one in desk.reports(Fault) if one.ended is not None}
    assert FaultCode.STORAGE_FULL in ended


def test_rung_of_programme_follows_class(desk: Desk, office: Office) -> None:
    office.publish(office.item("tin", 5000, bulletin_class=BulletinClass.PRIORITY))
    desk.advance(6000)
    assert desk.state.sound.output.rung is Rung.PRIORITY
