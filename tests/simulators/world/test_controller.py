"""The worlds' controller: the real one, which crashes, is put back, runs twice, has the wrong time or a full disk."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from protocol.document import Kind
from simulators.world.database import Doom
from simulators.world.plan import Happening
from simulators.world.world import World
from tests.simulators.world.play import HOUR_MS, MINUTE_MS, Story, play

pytestmark = pytest.mark.slow

COMMUNE = "vn/92/31000"
SIX = 6 * HOUR_MS


def alert(at_ms: int, life_ms: int = 5 * MINUTE_MS) -> Happening:
    words = "id=a1 kind=alert wide= parts=1 severity=3 tone=two_tone tone_ms=5000 gap_ms=8000 media=no late_ms=0"
    return Happening(at_ms, COMMUNE, "people.alert", life_ms, words)


def controller(at_ms: int, what: str, number: int = 0, words: str = "") -> Happening:
    return Happening(at_ms, "controller", f"controller.{what}", number, words)


def outside(world: World) -> None:
    """The broker is a program of its own."""
    world.broker.inside = False


def began(story: Story) -> list[int]:
    """Milliseconds after six at which an alert began to sound."""
    heard = story.heard("d00000", since_ms=SIX)
    return [at_ms - SIX for at_ms, one in heard if one.output.key.startswith("alert")]


def as_run_ids(story: Story) -> tuple[list[str], set[str]]:
    """Ids of the records in the database, and of those that devices sent."""
    assert story.world is not None
    stored = [row["id"] for row in story.world.controller.as_run()]
    return stored, {one.thing.id for one in story.told("report.asrun")}


def test_day_without_faults_is_whole_on_the_log() -> None:
    story = play(hours=7.5, before=outside)
    stored, sent = as_run_ids(story)
    assert story.violations == ()
    assert len(stored) == len(set(stored))
    assert set(stored) == sent
    assert stored
    assert story.world is not None
    assert story.world.controller.unlogged() == []
    assert not story.told("controller.refused")


@pytest.mark.parametrize("doom", list(Doom))
def test_crash_beside_a_commit_loses_no_alert(doom: Doom) -> None:
    """Stored or not when the power failed: the office hands it in again, or it goes out at the next start."""
    crash = controller(SIX - 1, "crash", 60_000, doom.value)
    story = play(crash, alert(SIX), hours=7.0, before=outside)
    assert story.violations == ()
    assert len(story.told("controller.down")) == 1
    assert 55_000 < began(story)[0] < 100_000
    kinds = [row["state"] for row in rows(story, "documents") if row["kind"] == Kind.ALERT]
    assert kinds in (["in_force"], ["ended"])


def rows(story: Story, table: str) -> list[dict[str, object]]:
    assert story.world is not None
    return story.world.controller.rows(table)


def test_reports_of_a_crash_come_again() -> None:
    """The controller dies with what it had acknowledged to the broker and not stored."""
    crashes = [controller(5 * HOUR_MS + minute * MINUTE_MS, "crash", 20_000, "now") for minute in range(0, 40, 3)]
    story = play(*crashes, hours=7.5, before=outside)
    stored, sent = as_run_ids(story)
    assert len(stored) == len(set(stored))
    assert sent == set(stored)
    assert story.violations == ()


def test_alert_reaches_devices_while_the_broker_is_away() -> None:
    """The second path: held polls are told a second later."""
    away = Happening(SIX - MINUTE_MS, "broker", "broker.restart", 20 * MINUTE_MS, "everything")
    story = play(away, alert(SIX), hours=7.0, before=outside)
    assert began(story)[0] < 3000
    assert story.violations == ()


def test_old_backup_is_made_up_for() -> None:
    backup = controller(SIX - HOUR_MS // 2, "back_up")
    changed = Happening(SIX, COMMUNE, "people.rules", 0, "quiet")
    put_back = controller(SIX + 5 * MINUTE_MS, "restore", MINUTE_MS)
    story = play(backup, changed, alert(SIX + MINUTE_MS, 2 * MINUTE_MS), put_back, hours=9.0, before=outside)
    assert story.world is not None
    rules = [row["version"] for row in rows(story, "documents") if row["kind"] == "audible-config"]
    assert rules[-1] == 2
    assert len(story.world.controller.lost) == 1
    assert story.violations == ()


def test_who_is_refused_by_a_controller_that_lost_all_grants_comes_back() -> None:
    """There was no backup: what is signed before the grants are brought again is of a key that nobody knows."""
    put_back = controller(SIX, "restore", MINUTE_MS)
    changed = Happening(SIX + 2 * MINUTE_MS, COMMUNE, "people.rules", 0, "quiet")
    story = play(put_back, changed, hours=9.5, before=outside)
    rules = [row["version"] for row in rows(story, "documents") if row["kind"] == "audible-config"]
    assert rules[-1] == 2
    assert story.violations == ()


def test_two_controllers_on_copies_of_one_database() -> None:
    """They throw each other off the broker, and what was signed reaches everybody all the same."""
    story = play(controller(SIX, "second", 30 * MINUTE_MS), alert(SIX + 5 * MINUTE_MS), hours=8.0, before=outside)
    assert began(story)[0] < 5 * MINUTE_MS + 3000
    assert story.violations == ()
    assert story.world is not None
    assert story.world.controller.process is not None
    assert story.world.controller.process.publisher._urgent.connections < 100


@pytest.mark.parametrize("error_ms", [-3 * 24 * HOUR_MS, 3 * 24 * HOUR_MS, 400 * 24 * HOUR_MS])
def test_wrong_clock_costs_nothing_once_it_is_right(error_ms: int) -> None:
    wrong = controller(SIX - HOUR_MS, "wrong_clock", HOUR_MS // 2, str(error_ms))
    story = play(wrong, alert(SIX), hours=9.0, before=outside)
    assert began(story)[0] < 3000
    assert story.violations == ()
    assert {row["state"] for row in rows(story, "documents") if row["kind"] in ("grant", "schedule")} == {"in_force"}


def test_full_disk_keeps_reports_waiting() -> None:
    full = controller(5 * HOUR_MS - MINUTE_MS, "full_disk", 50 * MINUTE_MS)
    found: list[int] = []

    def watch(world: World) -> None:
        outside(world)
        world.later(5 * HOUR_MS + 40 * MINUTE_MS, lambda: found.append(len(world.controller.as_run())))

    story = play(full, hours=7.5, before=watch)
    stored, sent = as_run_ids(story)
    assert found == [0]
    assert set(stored) == sent
    assert stored
    assert story.violations == ()


@pytest.mark.parametrize("before", [outside, lambda world: None])
def test_restart_with_a_full_disk_still_serves(before: Callable[[World], None]) -> None:
    full = controller(SIX, "full_disk", 20 * MINUTE_MS)
    story = play(full, controller(SIX + MINUTE_MS, "crash", 5000, "now"), hours=7.0, before=before)
    assert len(story.told("controller.up")) == 2
    assert story.violations == ()
