"""What only the root may do, and does: another anchor, a denied epoch, a clock's floor; by a child and a stick."""

from __future__ import annotations

import dataclasses

import pytest

from protocol.clock import DAY_MS, WallMs
from protocol.denial import Denied, RootWord
from protocol.document import Kind
from protocol.errors import Refusal
from protocol.grants import ANCHOR_ID
from protocol.report import FaultCode, Standing
from tests.attacks.offices import ANCHOR, C1, COMMUNE, NINE, PROVINCE, grant, key, seal, sign_grant
from tests.attacks.rooted import Rooted

pytestmark = pytest.mark.slow


async def test_anchor_is_changed_by_the_root(rooted: Rooted) -> None:
    """all keys of the anchor are stolen — the root names another anchor, and theirs stop in the middle of a word."""
    scene = rooted.scene
    await rooted.power_up()
    fresh_keys = tuple(key(f"fresh anchor {number}") for number in range(3))
    fresh = dataclasses.replace(ANCHOR, keys=tuple(one.public for one in fresh_keys))
    await scene.alarm()
    rooted.publish(fresh)
    rooted.stick(rooted.repository)
    await scene.attacker.until(lambda: rooted.told("anchor"))
    assert rooted.told("anchor")[0].standing is Standing.RECEIVED
    await scene.speaker.until_quiet()
    began, known = scene.wall, len(scene.attacker.receipts())
    stale = seal(Kind.ALERT, scene.offices.alert(), C1)
    for path in ("doc", "alert", "poll"):
        await scene.attacker.deliver(path, scene.offices.grants[0].pack() if path == "doc" else stale.pack())
    await scene.speaker.silent_for(8, since_ms=began)
    assert {one.refusal for one in scene.attacker.receipts()[known:]} == {Refusal.UNKNOWN_KEY}
    await scene.speaker.cut_power()
    await scene.boot()
    scene.key = key("operator of the new anchor")
    given = sign_grant(grant(COMMUNE, scene.key), *fresh_keys[:2])
    await scene.speaker.wait_state(lambda state: state.link_up and state.clock.agreed is not None)
    await scene.attacker.deliver("doc", given.pack())
    await scene.speaker.wait_state(lambda state: given.digest in state.trust.grants)
    await scene.still_obeys()


async def test_root_denies_an_epoch(rooted: Rooted) -> None:
    """grants that the anchor's keys gave in a bad hour — the root ends all of them; sent again, they are told."""
    scene = rooted.scene
    await rooted.power_up()
    await scene.alarm()
    rooted.publish(ANCHOR, RootWord(3, (Denied(PROVINCE, ANCHOR_ID, 1),)))
    rooted.stick(rooted.repository)
    await scene.attacker.until(lambda: len(rooted.told("root-word")) > 1)
    await scene.speaker.until_quiet()
    began, known = scene.wall, len(scene.attacker.receipts())
    await scene.attacker.deliver("doc", scene.offices.grants[0].pack())
    await scene.told(known, Refusal.GRANT_DENIED)
    await scene.attacker.deliver("alert", seal(Kind.ALERT, scene.offices.alert(), C1).pack())
    await scene.speaker.silent_for(8, since_ms=began)
    given = sign_grant(grant(COMMUNE, C1, epoch=1, serial=5))
    await scene.attacker.deliver("doc", given.pack())
    await scene.speaker.wait_state(lambda state: given.digest in state.trust.grants)
    await scene.still_obeys()


async def test_root_frees_a_device_from_next_year(rooted: Rooted) -> None:
    """clocks lie a year ahead and a stolen key signs there — dumb until the root's word puts the floor back."""
    scene, ahead = rooted.scene, 365 * DAY_MS
    clocks = scene.speaker.board.time_sources
    for source in tuple(clocks.error_ms):
        clocks.set_error(source, ahead)
    await scene.boot()
    await scene.speaker.wait_state(lambda state: state.clock.agreed is not None and state.link_up)
    grants_of_next_year = sign_grant(grant(COMMUNE, C1, serial=6, expires=WallMs(NINE + 2 * ahead)))
    await scene.attacker.deliver("doc", grants_of_next_year.pack())
    brick = scene.offices.schedule(issued=WallMs(NINE + ahead), expires=WallMs(NINE + ahead + DAY_MS))
    await scene.attacker.deliver("doc", seal(Kind.SCHEDULE, brick, C1).pack())
    await scene.speaker.wait_state(lambda state: state.clock.floor >= NINE + ahead)
    for source in tuple(clocks.error_ms):
        clocks.set_error(source, 0)
    await scene.speaker.cut_power()
    await scene.boot()
    began = scene.wall
    scene.send(Kind.ALERT, scene.offices.alert())
    await scene.speaker.silent_for(60, since_ms=began)
    assert FaultCode.CLOCK_NOT_TRUSTED in {one.code for one in scene.attacker.faults()}
    rooted.publish(ANCHOR, RootWord(3, floor=WallMs(scene.wall)))
    rooted.stick(rooted.repository)
    await scene.attacker.until(lambda: len(rooted.told("root-word")) > 1)
    await scene.attacker.until(lambda: scene.attacker.statuses()[-1].clock == "agreed")
    await scene.speaker.until_quiet(within_s=700)
    await scene.still_obeys()
