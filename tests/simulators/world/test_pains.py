"""What users of neighbouring products complain about, played in a world: what is heard, and what the office is told.

The numbers are those of docs/pains.md, which also names the tests of those that stand elsewhere.
"""

from __future__ import annotations

from itertools import pairwise

import pytest

from controller.devices.domain import Reach
from edge.core.output import AlertOutput, FmOutput, MicrophoneOutput, StreamOutput
from protocol.report import LEVEL_SILENCE_CDB, EndReason, FaultCode, Standing
from protocol.schedule import Programme, Schedule
from simulators.world.clock import DAWN
from tests.simulators.world import complaints
from tests.simulators.world.complaints import FIVE, as_run, faults, forenoon, lonely, morning, spans, statuses
from tests.simulators.world.play import DEVICE, HOUR_MS, MINUTE_MS, OTHER, SIX, Story

pytestmark = pytest.mark.slow

WORD_MS = 100
"""What a clock may be off while it is right."""


def sang(device: str) -> list[tuple[int, int]]:
    """When the programme of five o'clock was heard of a loudspeaker, in milliseconds since five."""
    heard = spans(morning(), device, since_ms=FIVE - 15 * MINUTE_MS, until_ms=FIVE + 15 * MINUTE_MS)
    return [(one.begin_ms - FIVE, one.end_ms - FIVE) for one in heard if one.item == "sang"]


def length_ms(device: str) -> int:
    """How long that programme is in the commune of a loudspeaker."""
    world = morning().world
    assert world is not None
    item = world.people.desks[world.devices[device].identity.home].items["sang"]
    assert isinstance(item.content, Programme)
    return item.content.duration_ms


def stories() -> tuple[Story, ...]:
    """All three."""
    return morning(), forenoon()[0], lonely()


def test_no_rule_is_broken_by_any_of_them() -> None:
    assert [one.violations for one in stories()] == [(), (), ()]


def test_pain_1_decoder_that_dies_is_replaced_within_seconds() -> None:
    (first_ms, broken_ms), (again_ms, end_ms) = sang(complaints.BROKEN)
    assert first_ms == pytest.approx(0, abs=WORD_MS)
    assert again_ms - broken_ms < 3000
    assert end_ms == pytest.approx(length_ms(complaints.BROKEN), abs=WORD_MS)
    assert faults(morning(), complaints.BROKEN, FaultCode.PLAYER_FAILED)


def test_pain_2_dead_amplifier_is_red_and_on_the_log_as_silent() -> None:
    """The agent played all the while; nobody heard a word, and that is what is told."""
    assert sang(complaints.SILENT) == []
    assert 0 < faults(morning(), complaints.SILENT, FaultCode.SOUND_MISSING)[0] - FIVE < 30_000
    shown = [one for at_ms, one in statuses(morning(), complaints.SILENT) if FIVE + 10_000 < at_ms < FIVE + 600_000]
    assert shown and all(FaultCode.SOUND_MISSING in one.faults for one in shown)
    (run,) = (one for one in as_run(morning(), complaints.SILENT) if one.item == "sang")
    assert run.output_level_cdb == LEVEL_SILENCE_CDB


def test_pain_3_bulletin_for_three_in_the_morning_wakes_nobody() -> None:
    """It was signed, by mistake, as a priority bulletin; the rules on the device are older and count."""
    world = morning().world
    assert world is not None
    assert not any(spans(morning(), device, until_ms=FIVE - 30 * MINUTE_MS) for device in world.devices)
    told = {one.standing for one in morning().receipts(complaints.FULL) if one.item == "night"}
    assert Standing.UNHEARD in told
    assert not told & {Standing.SOUNDING, Standing.HEARD}


def test_pain_4_stranger_on_the_frequency_is_cut_off_and_stays_out() -> None:
    heard = spans(morning(), complaints.FOREIGN, since_ms=FIVE + 14 * MINUTE_MS)
    (relay,) = [one for one in heard if isinstance(one.output, FmOutput)]
    assert relay.end_ms - FIVE - 17 * MINUTE_MS < 2000
    assert faults(morning(), complaints.FOREIGN, FaultCode.FM_REFUSED)[0] - relay.end_ms < 30_000


def test_pain_5_programme_waits_for_the_hour_and_then_sounds_where_it_would_be() -> None:
    """No chip, no network: the box thinks that it is last year, until two servers answer at two minutes past five."""
    ((begin_ms, end_ms),) = sang(complaints.LATE)
    assert 2 * MINUTE_MS < begin_ms < 3 * MINUTE_MS
    assert end_ms == pytest.approx(length_ms(complaints.LATE), abs=WORD_MS)
    assert faults(morning(), complaints.LATE, FaultCode.CLOCK_NOT_TRUSTED)


def test_pain_6_clock_set_wrong_before_the_start_moves_nothing() -> None:
    ((begin_ms, end_ms),) = sang(complaints.MISSET)
    assert begin_ms == pytest.approx(0, abs=1000)
    assert end_ms == pytest.approx(length_ms(complaints.MISSET), abs=1000)


@pytest.mark.parametrize(
    ("turn", "item", "parts"),
    [
        (0, "xresume", [(0, 120_000), (155_000, 300_000)]),
        (1, "xrestart", [(0, 120_000), (155_000, 455_000)]),
        (2, "xskip", [(0, 120_000)]),
    ],
)
def test_pain_7_after_a_power_cut_its_policy_is_kept(turn: int, item: str, parts: list[tuple[int, int]]) -> None:
    begin_ms = SIX + (10 * turn + 1) * MINUTE_MS
    heard = [one for one in spans(forenoon()[0], complaints.CUT, since_ms=SIX) if one.item == item]
    found = [(one.begin_ms - begin_ms, one.end_ms - begin_ms) for one in heard]
    assert len(found) == len(parts)
    for part, expected in zip(found, parts, strict=True):
        assert part == pytest.approx(expected, abs=3000)


def test_pain_8_two_days_without_credit_end_by_themselves() -> None:
    """An emergency is heard at once again, and each record of the two days has come, once."""
    story = lonely()
    heard = spans(story, DEVICE)
    (told,) = [one for one in heard if isinstance(one.output, AlertOutput)]
    assert told.begin_ms - complaints.BACK_MS - 20 * MINUTE_MS < 3000
    assert story.world is not None
    stored = story.world.controller.as_run()
    assert len(stored) == len({one["id"] for one in stored}) == len(heard) > 8
    assert [one["began_ms"] - DAWN for one in stored] == pytest.approx([one.begin_ms for one in heard], abs=1000)


def test_pain_9_boots_and_plays_without_a_network() -> None:
    """The power fails at noon of the first lonely day; its clock chip and a station's clock-time tell the hour."""
    evening_ms = 17 * HOUR_MS
    first = [one for one in spans(lonely(), DEVICE, since_ms=13 * HOUR_MS) if one.item == "chieu"]
    assert [one.begin_ms for one in first] == pytest.approx([evening_ms, evening_ms + 24 * HOUR_MS], abs=1000)


def test_pain_10_nothing_restarts_because_the_controller_is_away() -> None:
    assert len(lonely().told("power.on", DEVICE)) == 2, "when the world began, and after the power cut"
    assert len(lonely().told("agent.started", DEVICE)) == 2


def test_pain_11_card_that_comes_late_and_twenty_crashes_end_in_sound() -> None:
    assert len(morning().told("agent.started", complaints.CARDLESS)) == 21
    ((begin_ms, end_ms),) = sang(complaints.CARDLESS)
    assert 30_000 <= begin_ms < 33_000, "the card was there thirty seconds past five"
    assert end_ms == pytest.approx(length_ms(complaints.CARDLESS), abs=WORD_MS)
    assert faults(morning(), complaints.CARDLESS, FaultCode.CARD_LOST)


def test_pain_12_reconnecting_again_and_again_is_not_heard() -> None:
    """Neither a break nor another pace: it ends when it would have."""
    ((begin_ms, end_ms),) = sang(complaints.TORN)
    assert (begin_ms, end_ms) == pytest.approx((0, length_ms(complaints.TORN)), abs=WORD_MS)


def test_pain_13_no_word_goes_into_a_cold_amplifier() -> None:
    """A planned start is got ready ahead; what nobody could foresee waits for the amplifier, and no longer."""
    ((begin_ms, end_ms),) = sang(complaints.WELL)
    assert (begin_ms, end_ms) == pytest.approx((0, length_ms(complaints.WELL)), abs=WORD_MS)
    story = forenoon()[0]
    assert story.world is not None
    lead_in_ms = story.world.people.desks[OTHER].rules.amplifier_lead_in_ms
    alarm = spans(story, "d00007", since_ms=complaints.ALARM_MS)[0]
    assert lead_in_ms < alarm.begin_ms - complaints.ALARM_MS < lead_in_ms + 1000


def test_pain_14_what_is_deleted_falls_silent_and_the_status_names_what_is_in_force() -> None:
    story, deleted_ms = forenoon()[0], SIX + 11 * MINUTE_MS
    (running,) = [one for one in spans(story, complaints.WEB, since_ms=SIX) if one.item == "z2"]
    assert running.end_ms - deleted_ms < 3000
    assert story.world is not None
    signed = story.world.offices.signed.values()
    empty = [one for one in signed if isinstance(one.document, Schedule) and not one.document.items]
    (emptied,) = (one.envelope.digest for one in empty)
    shown = [one for at_ms, one in statuses(story, complaints.WEB) if at_ms > deleted_ms + 5000]
    assert emptied in {one.digest for one in shown[0].in_force}


def test_pain_15_emergency_overtakes_the_downloads_of_a_thin_line() -> None:
    """Half a megabyte is on its way over 64 kbit/s, and goes on afterwards."""
    story = forenoon()[0]
    alarm = spans(story, complaints.SLOW, since_ms=SIX)[0]
    assert isinstance(alarm.output, AlertOutput)
    assert alarm.begin_ms - complaints.ALARM_MS < 3000
    late = [one for one in story.receipts(complaints.SLOW) if one.standing is Standing.READY and one.item == "y3"]
    assert min(one.wall for one in late) - DAWN > alarm.begin_ms + 10_000


def test_one_thin_line_keeps_nobody_else_waiting() -> None:
    """The town of Shunan: one slow receiver made everybody else late."""
    story = forenoon()[0]
    neighbours = [f"d0000{number}" for number in range(6, 10)]
    begins = [spans(story, device, since_ms=complaints.ALARM_MS)[0].begin_ms for device in neighbours]
    assert max(begins) - complaints.ALARM_MS < 1500
    assert max(begins) - min(begins) < 250


def test_pain_16_power_cut_in_a_save_leaves_no_lie_about_what_is_in_force() -> None:
    story = forenoon()[0]
    assert story.world is not None
    assert len(story.told("power.on", complaints.SAVING)) == 3
    newest = story.world.people.desks[story.world.devices[complaints.SAVING].identity.home].newest
    shown = {one.digest for one in statuses(story, complaints.SAVING)[-1][1].in_force}
    assert {one.envelope.digest for one in newest.values()} <= shown


def test_pain_18_full_card_keeps_no_programme_and_no_record_back() -> None:
    ((begin_ms, end_ms),) = sang(complaints.FULL)
    assert (begin_ms, end_ms) == pytest.approx((0, length_ms(complaints.FULL)), abs=WORD_MS)
    assert [one.end_reason for one in as_run(morning(), complaints.FULL) if one.item == "sang"] == [
        EndReason.COMPLETE
    ]


def test_pain_18_two_days_wear_the_card_little() -> None:
    """Of 20 MB a day; a power cut and all media are in it."""
    assert lonely().world is not None
    assert lonely().world.devices[DEVICE].card.bytes_written < 2 * 20_000_000  # type: ignore[union-attr]


def test_pain_19_office_sees_by_degrees_that_a_loudspeaker_is_gone() -> None:
    """And says of a schedule that it was received only when it was."""
    story, sight = forenoon()
    back_ms = SIX + 29 * MINUTE_MS
    grades = [grade for at_ms, grade in sorted(sight.reach.items()) if at_ms < back_ms]
    assert list(dict.fromkeys(grades)) == [Reach.ONLINE, Reach.QUIET, Reach.LOST]
    assert sight.reach[max(sight.reach)] is Reach.ONLINE
    took = [one.wall - DAWN for one in story.receipts(complaints.GONE) if one.kind == "schedule" and one.item is None]
    assert [at_ms > back_ms for at_ms in took if at_ms > SIX - MINUTE_MS] == [True]


def test_pain_21_web_radio_that_comes_and_goes_does_not_flap() -> None:
    """FM follows it within the second, and it comes back at most once in ten seconds."""
    heard = spans(forenoon()[0], complaints.WEB, since_ms=SIX, until_ms=SIX + 6 * MINUTE_MS)
    begins = [one.begin_ms for one in heard if isinstance(one.output, StreamOutput)]
    assert len(begins) > 5
    assert min(later - former for former, later in pairwise(begins)) >= 10_000
    gaps = [later.begin_ms - former.end_ms for former, later in pairwise(heard)]
    assert max(gaps) <= 1000


def test_pain_22_copied_card_is_found_and_named() -> None:
    sight = forenoon()[1]
    assert sight.copies[min(sight.copies)] is None
    found = [at_ms for at_ms, sign in sorted(sight.copies.items()) if sign is not None]
    assert found[0] - SIX < 5 * MINUTE_MS


def test_pain_24_programme_comes_back_after_each_announcement() -> None:
    heard = spans(morning(), complaints.TALKING, since_ms=FIVE - MINUTE_MS, until_ms=FIVE + 15 * MINUTE_MS)
    assert [isinstance(one.output, MicrophoneOutput) for one in heard] == [False, True] * 3 + [False]
    assert all(later.begin_ms == former.end_ms for former, later in pairwise(heard))
    assert heard[-1].end_ms - FIVE == pytest.approx(length_ms(complaints.TALKING), abs=WORD_MS)


def test_pain_26_each_record_names_what_was_signed_and_how_loud_it_was() -> None:
    for story in stories():
        assert story.world is not None
        for device, box in story.world.devices.items():
            for run in as_run(story, device):
                if run.document is not None:
                    scope = story.world.offices.signed[run.document].document.scope
                    assert box.identity.place.startswith(f"{scope}/"), "another unit's word"
                assert run.source == "lost" or run.output_level_cdb is not None
