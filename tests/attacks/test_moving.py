"""Loudspeakers that somebody would like to have elsewhere."""

from __future__ import annotations

import pytest

from protocol.assignment import Assignment, Placement
from protocol.clock import WallMs
from protocol.document import Kind
from protocol.envelope import Envelope
from protocol.errors import Refusal
from protocol.keys import SigningKey
from protocol.units import UnitPath
from protocol.verbs import Verb
from tests.attacks.loudspeaker import DEVICE
from tests.attacks.offices import (
    C1,
    COMMUNE,
    FRESHNESS,
    NEIGHBOUR,
    NEIGHBOUR_KEY,
    P1,
    PLACE,
    PROVINCE,
    STRANGER,
    grant,
    key,
    seal,
    sign_grant,
)
from tests.attacks.scene import Scene

THERE = UnitPath(f"{NEIGHBOUR}/c01")
ASSIGNER = key("assigner")
MAY_ASSIGN = sign_grant(grant(PROVINCE, ASSIGNER, holder="sở, thiết bị", verbs=(Verb.ASSIGN,)))


def word(
    scene: Scene, *keys: SigningKey, place: UnitPath | None = THERE, scope: UnitPath = PROVINCE, later_ms: int = 0
) -> Envelope:
    made = Assignment(scope, WallMs(scene.offices.wall + later_ms), (Placement(DEVICE, place, None),))
    return seal(Kind.ASSIGNMENT, made, *keys)


async def allow(scene: Scene) -> None:
    await scene.attacker.deliver("doc", MAY_ASSIGN.pack())
    await scene.speaker.wait_state(lambda state: MAY_ASSIGN.digest in state.trust.grants)


async def move(scene: Scene) -> None:
    """The true word."""
    await allow(scene)
    true, connections = word(scene, ASSIGNER), scene.attacker.broker.connections
    await scene.attacker.deliver("doc", true.pack())
    await scene.speaker.wait_state(lambda state: state.identity.place == THERE)
    await scene.attacker.until(lambda: scene.attacker.receipts(true.digest))
    await scene.attacker.until(
        lambda: scene.attacker.broker.connections > connections and scene.attacker.broker.lines
    )


@pytest.mark.parametrize("who", ["stranger", "controller", "commune operator", "province operator"])
async def test_forged_move(scene: Scene, who: str) -> None:
    """a device is moved by the controller, or by somebody who may not — it stays where it is."""
    signer, reason = {
        "stranger": (STRANGER, Refusal.UNKNOWN_KEY),
        "controller": (FRESHNESS, Refusal.UNKNOWN_KEY),
        "commune operator": (C1, Refusal.OUT_OF_SCOPE),
        "province operator": (P1, Refusal.VERB_NOT_GRANTED),
    }[who]

    def forge(path: str) -> bytes:
        return word(scene, signer, later_ms=("doc", "poll", "stick").index(path)).pack()

    await scene.refused(forge, reason, paths=("doc", "poll", "stick"))
    assert scene.speaker.state is not None
    assert scene.speaker.state.identity.place == PLACE


async def test_commune_fetches_a_device_of_another_commune(scene: Scene) -> None:
    """the neighbour may place its own devices and names ours — a word must reach the place the device is at."""
    neighbour = sign_grant(grant(NEIGHBOUR, NEIGHBOUR_KEY, verbs=(Verb.ASSIGN,)))
    await scene.ignored(lambda: scene.attacker.deliver("doc", neighbour.pack()))
    await scene.refused(
        lambda _: word(scene, NEIGHBOUR_KEY, scope=NEIGHBOUR).pack(), Refusal.UNKNOWN_KEY, paths=("doc",)
    )


async def test_wide_verb_over_a_narrow_word(scene: Scene) -> None:
    """a word whose scope is the neighbour's, signed by the province — the word itself must cover where we are."""
    await allow(scene)
    await scene.refused(lambda _: word(scene, ASSIGNER, scope=NEIGHBOUR).pack(), Refusal.OUT_OF_SCOPE, paths=("doc",))


async def test_old_keys_after_a_move(scene: Scene) -> None:
    """the former commune's operator goes on speaking to a device that was moved — its keys have stopped there."""
    await move(scene)
    known = len(scene.attacker.receipts())
    began = scene.wall
    await scene.attacker.deliver("doc", seal(Kind.ALERT, scene.offices.alert(), C1).pack())
    scene.attacker.on_topic("alert", seal(Kind.ALERT, scene.offices.alert(), C1).pack(), unit=PROVINCE)
    await scene.speaker.silent_for(8, since_ms=began)
    told = scene.attacker.receipts()[known:]
    assert {one.refusal for one in told} <= {Refusal.UNKNOWN_KEY}


async def test_move_is_undone_by_an_old_word(scene: Scene) -> None:
    """an old true word is sent again to bring the device back — of words on a device the newest counts."""
    home = word(scene, ASSIGNER, place=PLACE, later_ms=-60_000)
    await move(scene)
    known = len(scene.attacker.receipts())
    scene.attacker.on_topic("doc", scene.offices.parcel(home), unit=PROVINCE)
    await scene.attacker.until(
        lambda: any(one.refusal is Refusal.OLDER_VERSION for one in scene.attacker.receipts()[known:])
    )
    await scene.speaker.cut_power()
    await scene.boot()
    state = await scene.speaker.wait_state(lambda state: state.link_up)
    assert state.identity.place == THERE


async def test_moved_device_is_left_alone_by_a_lost_power_supply(scene: Scene) -> None:
    """the power fails in the moment of the move — the word is durable before the device listens elsewhere."""
    await move(scene)
    await scene.speaker.cut_power(off_s=0.1)
    await scene.boot()
    state = await scene.speaker.wait_state(lambda state: state.link_up)
    assert (state.identity.place, state.identity.home) == (THERE, NEIGHBOUR)
    assert COMMUNE not in {one.grant.scope for one in state.trust.grants.values()}
