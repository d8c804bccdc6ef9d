"""Rolled back, frozen, mixed and withheld: what is older does not return, and what is not fresh falls silent."""

from __future__ import annotations

import asyncio
import shutil
from typing import Final

import pytest

from protocol.bulletin import Explicit
from protocol.clock import DAY_MS, WallMs
from protocol.document import Kind
from protocol.envelope import Envelope
from protocol.errors import Refusal
from protocol.freshness import Newest
from protocol.keys import SigningKey
from protocol.report import FaultCode
from protocol.topics import DOC
from simulators.attacker import PATHS
from tests.attacks.offices import C1, COMMUNE, NINE, grant, key, seal, sign_grant
from tests.attacks.scene import Scene

FRESH_S: Final = 120
HEAD_POLICY_MS: Final = 60_000
TEN_PAST: Final = WallMs(NINE + 600_000)


def older(scene: Scene, kind: Kind) -> list[Envelope]:
    """True documents of former days, one for each path, that would be heard at once."""
    offices, issued = scene.offices, WallMs(scene.wall - DAY_MS)
    if kind is Kind.SCHEDULE:
        made: list[object] = [
            offices.schedule(offices.now_item(), version=9 - at, issued=issued) for at in range(len(PATHS))
        ]
    else:
        made = [offices.config(ordinary_attenuation_cdb=0, version=9 - at, issued=issued) for at in range(len(PATHS))]
    return [seal(kind, one, C1) for one in made]


@pytest.mark.parametrize("kind", (Kind.SCHEDULE, Kind.AUDIBLE_CONFIG))
async def test_older_version(scene: Scene, kind: Kind) -> None:
    """yesterday's schedule or rules, truly signed — a version that is not newer than the one in force is refused."""
    old = iter(older(scene, kind))
    await scene.refused(lambda _: next(old).pack(), Refusal.OLDER_VERSION)


@pytest.mark.parametrize("kind", (Kind.SCHEDULE, Kind.AUDIBLE_CONFIG))
async def test_older_version_after_a_power_cut(scene: Scene, kind: Kind) -> None:
    """the same right after a restart, before anything newer could come — versions are on disk."""
    old = iter(older(scene, kind))
    scene.attacker.broker.retained.clear()
    await scene.speaker.cut_power()
    await scene.power_up()
    await scene.refused(lambda _: next(old).pack(), Refusal.OLDER_VERSION)


@pytest.mark.parametrize("kind", (Kind.SCHEDULE, Kind.AUDIBLE_CONFIG))
async def test_older_version_after_the_database_was_lost(scene: Scene, kind: Kind) -> None:
    """the same when the database is gone and the documents are left — those that are left keep older ones out."""
    old = iter(older(scene, kind))
    scene.attacker.broker.retained.clear()
    await scene.speaker.cut_power()
    for path in scene.speaker.data.glob("state.db*"):
        path.unlink()
    await scene.power_up()
    await scene.attacker.until(lambda: FaultCode.STATE_DAMAGED in {one.code for one in scene.attacker.faults()})
    await scene.refused(lambda _: next(old).pack(), Refusal.OLDER_VERSION)


async def test_everything_lost_is_said(scene: Scene) -> None:
    """a disk whose database is torn and whose documents are gone — the device starts empty, silent, and says so."""
    scene.attacker.broker.retained.clear()
    await scene.speaker.cut_power()
    (scene.speaker.data / "state.db").write_bytes(b"SQLite format 3\0" + bytes(5000))
    shutil.rmtree(scene.speaker.data / "documents")
    await scene.boot()
    await scene.attacker.until(lambda: FaultCode.STATE_DAMAGED in {one.code for one in scene.attacker.faults()})
    await scene.speaker.silent_for(650)


def renewal(serial: int, one: SigningKey = C1) -> bytes:
    """A grant of the commune's own office."""
    return sign_grant(grant(COMMUNE, one, serial=serial)).pack()


async def test_older_grant(scene: Scene) -> None:
    """the former grant of an office, whose key was stolen since — the newest serial of an office speaks."""
    stolen = key("stolen since")
    former = renewal(1, stolen)
    await scene.attacker.deliver("doc", former)
    await asyncio.sleep(1)
    forge = lambda _: seal(Kind.ALERT, scene.offices.alert(), stolen).pack()  # noqa: E731
    await scene.refused(forge, Refusal.GRANT_RENEWED)
    await scene.speaker.cut_power()
    await scene.power_up()
    await scene.refused(forge, Refusal.GRANT_RENEWED)


async def test_key_of_a_renewed_grant(scene: Scene) -> None:
    """a key that its office has replaced — from the renewal on the former key says nothing."""
    newer = key("newer")
    await scene.attacker.deliver("doc", renewal(3, newer))
    await scene.speaker.wait_state(
        lambda state: any(newer.public in one.grant.keys for one in state.trust.grants.values())
    )
    began = scene.wall
    known = len(scene.attacker.refusals())
    for path in PATHS:
        await scene.attacker.deliver(path, seal(Kind.ALERT, scene.offices.alert(), C1).pack())
        known += 1
        await scene.attacker.until(lambda count=known: len(scene.attacker.refusals()) >= count)  # type: ignore[misc]
    assert {why for told in scene.attacker.refusals().values() for why in told} == {Refusal.GRANT_RENEWED}
    await scene.speaker.silent_for(6, since_ms=began)
    scene.key = newer
    await scene.still_obeys()


# Frozen and withheld.


async def frozen(scene: Scene) -> None:
    """From now on nothing new comes; the rules want a head every minute."""
    scene.send(Kind.AUDIBLE_CONFIG, scene.offices.config(head_age_ms_max=HEAD_POLICY_MS))
    await scene.speaker.wait_state(lambda state: _policy(state) == HEAD_POLICY_MS)


def _policy(state: object) -> int:
    force = getattr(state, "force", None)
    return 0 if force is None or force.config is None else int(force.config.head_age_ms_max)


async def test_frozen(scene: Scene) -> None:
    """nothing new for longer than the policy — stored programmes stop, and the fault says that heads are stale."""
    await frozen(scene)
    await scene.until(TEN_PAST - 1000)
    await scene.speaker.silent_for(60)
    assert FaultCode.HEAD_STALE in {one.code for one in scene.attacker.faults()}
    await scene.still_obeys()


async def test_old_heads_again(scene: Scene) -> None:
    """the heads of former days, over and over — an older head confirms nothing."""
    await frozen(scene)
    old = [scene.attacker.head(issued=WallMs(NINE - 1000 * at)) for at in range(5)]
    while scene.wall < TEN_PAST - 2000:
        for head, path in zip(old, PATHS, strict=True):
            await scene.attacker.deliver(path, head.pack())
        await asyncio.sleep(20)
    await scene.until(TEN_PAST - 1000)
    await scene.speaker.silent_for(60)
    assert FaultCode.HEAD_STALE in {one.code for one in scene.attacker.faults()}
    await scene.still_obeys()


async def test_head_of_the_future(scene: Scene) -> None:
    """a head dated next year under the stolen freshness key, to keep an old schedule alive — refused."""
    dates = iter(range(1, 10))
    await scene.refused(
        lambda _: scene.attacker.head(issued=WallMs(scene.wall + next(dates) * DAY_MS)).pack(), Refusal.NOT_YET_VALID
    )


async def test_head_by_another_key(scene: Scene) -> None:
    """a head under a key of his own — only the pinned freshness key is asked."""
    scene.attacker.freshness = key("no freshness")
    versions = iter(range(100, 110))
    await scene.refused(
        lambda _: scene.attacker.head(newest=(Newest(COMMUNE, "schedule", next(versions)),)).pack(),
        Refusal.UNKNOWN_KEY,
    )


async def test_mixed_versions_across_paths(scene: Scene) -> None:
    """a new head with old documents, other versions on each path — the newest that was signed is in force."""
    offices = scene.offices
    newest = offices.schedule(offices.item(when=Explicit((TEN_PAST,))), version=50)
    middle = offices.schedule(offices.now_item("giua", in_ms=20_000), version=40)
    await scene.attacker.deliver("poll", seal(Kind.SCHEDULE, newest, C1).pack())
    await scene.speaker.wait_state(lambda state: any(one.version == 50 for _, one in state.force.schedules))
    began = scene.wall
    old = [seal(Kind.SCHEDULE, middle, C1), *older(scene, Kind.SCHEDULE)]
    head = scene.attacker.head(newest=(Newest(COMMUNE, "schedule", 50),))
    scene.attacker.on_topic(DOC, offices.parcel(*old, head))
    await scene.attacker.until(lambda: len(scene.attacker.refusals()) == len(old))
    assert {why for told in scene.attacker.refusals().values() for why in told} == {Refusal.OLDER_VERSION}
    await scene.speaker.silent_for(40, since_ms=began)
    await scene.programme_heard(TEN_PAST)


async def test_withheld(scene: Scene) -> None:
    """nobody answers any more — what is stored and signed sounds at its second, and an emergency when it comes."""
    scene.attacker.broker.refusing = True
    scene.attacker.broker.hang_up()
    await scene.programme_heard(TEN_PAST)
    scene.attacker.broker.refusing = False
    await scene.speaker.wait_state(lambda state: state.link_up, within_s=400)
    await scene.speaker.until_quiet(within_s=60)
    await scene.still_obeys()


async def test_schedule_beyond_its_end(scene: Scene) -> None:
    """no renewal ever comes — a schedule falls silent at its signed end, whatever the heads say."""
    offices = scene.offices
    short = offices.schedule(offices.item(), expires=WallMs(TEN_PAST - 60_000))
    scene.send(Kind.SCHEDULE, short)
    await scene.until(TEN_PAST - 30_000)
    await scene.attacker.deliver("doc", scene.attacker.head().pack())
    await scene.speaker.silent_for(80)
    assert FaultCode.SCHEDULE_EXPIRED in {one.code for one in scene.attacker.faults()}
    await scene.still_obeys()
