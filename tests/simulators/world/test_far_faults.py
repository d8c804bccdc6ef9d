"""Faults between devices and controller: whom they reach, when they end, and what devices make of them."""

from __future__ import annotations

import pytest

from edge.core.events import EnvelopeReceived, LinkChanged, Route
from simulators.world.device import Told
from simulators.world.faults import broker, controller, network
from simulators.world.plan import Happening, Shape, draw_plan
from simulators.world.world import World, names_of
from tests.simulators.world.play import HOUR_MS, MINUTE_MS, SIX, Story, play
from tests.simulators.world.test_controller import alert, began, outside

KINDS = {**network.KINDS, **broker.KINDS, **controller.KINDS}
LASTING = {name for name in KINDS if name not in ("network.torn", "broker.forget", "controller.back_up")}


def links(story: Story, device: str) -> list[tuple[int, bool]]:
    """When the link went up or down, in milliseconds since six."""
    told = [one for one in story.told("told", device) if isinstance(one.thing, Told)]
    found = [(one.at, one.thing.event) for one in told if isinstance(one.thing.event, LinkChanged)]
    assert story.world is not None
    return [(at - story.world.trace_wall() + 7 * HOUR_MS - SIX, event.up) for at, event in found]


def routes(story: Story, device: str) -> list[Route]:
    """By which ways emergencies came."""
    told = [one.thing.event for one in story.told("told", device) if isinstance(one.thing, Told)]
    return [one.route for one in told if isinstance(one, EnvelopeReceived)]


@pytest.mark.parametrize("days", [0.5, 2.0, 14.0])
def test_every_fault_ends_before_the_calm(days: float) -> None:
    found = set()
    for seed in range(6):
        shape = Shape(seed, 20, days)
        for one in draw_plan(shape, KINDS, names_of(shape)).happenings:
            found.add(one.what)
            assert one.at_ms + one.number <= shape.calm_ms, one
            assert (one.number > 0) == (one.what in LASTING), one
    assert days < 14 or found == set(KINDS)


def test_long_worlds_have_outages_of_days() -> None:
    longest = {"network.credit": 0, "network.week": 0}
    for seed in range(20):
        shape = Shape(seed, 20, 14.0)
        for one in draw_plan(shape, network.KINDS, names_of(shape)).happenings:
            if one.what in longest:
                longest[one.what] = max(longest[one.what], one.number)
    assert min(longest.values()) > 8 * 24 * HOUR_MS


def test_taking_one_kind_away_leaves_the_others() -> None:
    shape = Shape(5, 10, 2.0)
    whole = draw_plan(shape, KINDS, names_of(shape)).happenings
    less = {name: kind for name, kind in KINDS.items() if name != "network.cut"}
    kept = draw_plan(shape, less, names_of(shape)).happenings
    assert kept == tuple(one for one in whole if one.what != "network.cut")


@pytest.mark.slow
def test_commune_without_a_mast_hears_of_it_later() -> None:
    gone = Happening(SIX, "vn/92/31000", "network.commune", 20 * MINUTE_MS)
    story = play(gone, alert(SIX + 5 * MINUTE_MS, 25 * MINUTE_MS), devices=6, hours=7.0, before=outside)
    assert began(story)[0] > 20 * MINUTE_MS
    assert [up for _, up in links(story, "d00000")] == [True, False, True]
    assert [up for _, up in links(story, "d00005")] == [True], "of another commune"
    assert story.violations == ()


@pytest.mark.slow
def test_closed_port_leaves_the_second_path() -> None:
    closed = Happening(SIX - 10 * MINUTE_MS, "d00000", "network.port", HOUR_MS // 2, "mqtt")
    story = play(closed, alert(SIX), hours=7.0, before=outside)
    assert began(story)[0] < 3000
    assert routes(story, "d00000")[0] is Route.HTTP
    assert story.violations == ()


@pytest.mark.slow
def test_both_paths_bring_it_and_it_sounds_once() -> None:
    story = play(alert(SIX, MINUTE_MS), hours=7.0, before=outside)
    assert sorted(routes(story, "d00000")) == [Route.ALERT, Route.HTTP]
    assert story.violations == ()


@pytest.mark.slow
def test_portal_changes_nothing_that_sounds() -> None:
    portal = Happening(4 * HOUR_MS, "d00000", "network.portal", 3 * HOUR_MS)
    quiet, story = play(hours=9.0), play(portal, hours=9.0)
    assert [one.output.key for _, one in story.heard("d00000")] == [
        one.output.key for _, one in quiet.heard("d00000")
    ]
    assert story.violations == ()


@pytest.mark.slow
def test_copied_box_keeps_no_alert_from_the_true_one() -> None:
    """What the copy acknowledges is gone from the broker; the second path brings it."""
    copied = Happening(SIX - MINUTE_MS, "d00000", "broker.copy", HOUR_MS // 2)
    story = play(copied, alert(SIX), hours=8.0, before=outside)
    assert began(story)[0] < 3000
    assert story.violations == ()


@pytest.mark.slow
@pytest.mark.parametrize("kept", ["everything", "no sessions", "no retained", "nothing"])
def test_restarted_broker_is_filled_again(kept: str) -> None:
    def watch(world: World) -> None:
        outside(world)
        world.later(SIX + 10 * MINUTE_MS, lambda: found.append(len(world.broker.retained)))

    found: list[int] = []
    restart = Happening(SIX, "broker", "broker.restart", 30_000, kept)
    story = play(restart, alert(SIX + 15 * MINUTE_MS), hours=7.0, before=watch)
    assert found[0] >= 3
    assert began(story)[0] < 15 * MINUTE_MS + 3000
    assert story.violations == ()
