"""Replayed and reordered: what was true once is not true again."""

from __future__ import annotations

import asyncio
from typing import Final

import pytest

from protocol.alert import Alert
from protocol.document import Kind
from protocol.envelope import Envelope
from protocol.errors import Refusal
from protocol.report import Standing
from protocol.topics import ALERT
from simulators.attacker import PATHS
from tests.attacks.offices import C1, P1, P2, PROVINCE, seal
from tests.attacks.scene import Scene
from tests.attacks.speech import SPEECH

ALERT_LIFE_S: Final = 600
COMMANDS: Final = (Kind.ALERT, Kind.ALERT_DRILL, Kind.ALERT_TEST, Kind.STOP, Kind.LIVE_SESSION, Kind.CANCEL)


async def by_all_paths(scene: Scene, envelope: Envelope) -> None:
    """The same bytes by every path, one after the other."""
    for path in PATHS:
        await scene.attacker.deliver(path, envelope.pack())
        await asyncio.sleep(3)


@pytest.mark.parametrize("kind", (Kind.ALERT, Kind.ALERT_DRILL, Kind.ALERT_TEST, Kind.STOP, Kind.CANCEL))
async def test_command_after_its_end(scene: Scene, kind: Kind) -> None:
    """commands that were withheld and come after their end — an expired document is refused."""
    withheld = iter([seal(kind, SPEECH[kind](scene.offices), C1).pack() for _ in PATHS])
    await asyncio.sleep(ALERT_LIFE_S + 10)
    await scene.speaker.until_quiet(within_s=60)
    await scene.refused(lambda _: next(withheld), Refusal.EXPIRED)


async def test_live_session_after_its_end(scene: Scene) -> None:
    """sessions that were withheld and come after their end — an expired document is refused."""
    early = [scene.offices.live(C1, expires=scene.wall + 60_000) for _ in PATHS]
    withheld = iter([seal(Kind.LIVE_SESSION, one, C1).pack() for one in early])
    await asyncio.sleep(70)
    await scene.refused(lambda _: next(withheld), Refusal.EXPIRED)


async def test_alert_after_it_was_heard_and_ended(scene: Scene) -> None:
    """an emergency that was heard comes again after its end — it is known, ended and stays so."""
    alert = await scene.alarm(expires=scene.wall + 20_000)
    envelope = scene.attacker.history[-1]
    await scene.speaker.until_quiet(within_s=40)
    await scene.ignored(lambda: by_all_paths(scene, envelope), seconds=5)
    assert alert.id not in {one.id for one in _alerts(scene)}
    await scene.still_obeys()


async def test_alert_within_its_life_after_its_cancel(scene: Scene) -> None:
    """a cancelled emergency comes again within its life — a command is obeyed once, its second copy is nothing."""
    alert = await scene.alarm()
    envelope = scene.attacker.history[-1]
    await scene.call_off(alert)
    await scene.ignored(lambda: by_all_paths(scene, envelope), seconds=5)
    await scene.still_obeys()


async def test_alert_after_its_cancel_and_a_power_cut(scene: Scene) -> None:
    """the same after a power cut — what was obeyed is on disk before it is heard."""
    alert = await scene.alarm()
    envelope = scene.attacker.history[-1]
    await scene.call_off(alert)
    await scene.speaker.cut_power()
    await scene.power_up()
    await scene.ignored(lambda: by_all_paths(scene, envelope), seconds=5)
    await scene.still_obeys()


async def test_withheld_alert_after_its_cancel(scene: Scene) -> None:
    """an emergency withheld until its cancel had come — a cancel is remembered as long as its alert lives."""
    alert = scene.offices.alert()
    withheld = seal(Kind.ALERT, alert, C1).pack()
    scene.send(Kind.CANCEL, scene.offices.cancel(alert))
    await scene.attacker.until(lambda: scene.attacker.receipts()[-1].kind == Kind.CANCEL)
    await scene.refused(lambda _: withheld, Refusal.CANCELLED_BEFORE, paths=("alert",))
    await scene.speaker.cut_power()
    await scene.power_up()
    await scene.refused(lambda _: withheld, Refusal.CANCELLED_BEFORE, paths=("doc",))


@pytest.mark.parametrize("kind", (Kind.ALERT, Kind.STOP, Kind.LIVE_SESSION))
async def test_number_used_again(scene: Scene, kind: Kind) -> None:
    """another document under a number that its signer has used — a number is taken once for each key."""
    scene.send(kind, SPEECH[kind](scene.offices))
    used = scene.offices.sequence
    await scene.attacker.until(lambda: scene.attacker.receipts()[-1].kind == kind)
    if kind is Kind.ALERT:
        await asyncio.sleep(ALERT_LIFE_S)
    await scene.speaker.until_quiet(within_s=90)

    def forge(_: str) -> bytes:
        second = SPEECH[kind](scene.offices)
        fields = {name: getattr(second, name) for name in second.__dataclass_fields__}
        return seal(
            kind, type(second)(**fields | {"sequence": used, "expires": second.expires + second.sequence}), C1
        ).pack()

    if kind is Kind.STOP:
        await asyncio.sleep(120)
    await scene.refused(forge, Refusal.REPLAYED)


async def test_one_signature_stripped(scene: Scene) -> None:
    """an alert that two had signed comes again with one of them, under the same digest — it is known already."""
    wide = scene.offices.alert(scope=PROVINCE)
    both = scene.send(Kind.ALERT, wide, P1, P2)
    scene.send(Kind.CANCEL, scene.offices.cancel(wide), P1, P2)
    await scene.attacker.until(lambda: scene.attacker.receipts()[-1].standing is Standing.RECEIVED)
    await scene.speaker.until_quiet()
    await asyncio.sleep(1)
    one = Envelope(both.payload_type, both.payload, both.signatures[:1])
    await scene.ignored(lambda: by_all_paths(scene, one), seconds=5)
    await scene.still_obeys()


async def test_stop_within_its_life(scene: Scene) -> None:
    """a stop comes again when it is over, to silence the morning for ever — a command is obeyed once."""
    scene.send(Kind.STOP, scene.offices.stop(for_ms=5000))
    stop = scene.attacker.history[-1]
    await scene.speaker.wait_state(lambda state: state.stop is not None)
    await scene.speaker.wait_state(lambda state: state.stop is None)
    await scene.speaker.cut_power()
    await scene.power_up()
    await scene.ignored(lambda: by_all_paths(scene, stop), seconds=5)
    assert scene.speaker.state is not None and scene.speaker.state.stop is None
    await scene.still_obeys()


async def test_reordered(scene: Scene) -> None:
    """true emergencies in another order, one late — each is heard as long as it lives, the cancelled one is not."""
    first, second, third = (scene.offices.alert(severity=grade) for grade in (2, 3, 4))
    scene.send(Kind.CANCEL, scene.offices.cancel(second))
    for alert in (third, second, first):
        scene.send(Kind.ALERT, alert)
    await scene.attacker.until(lambda: len(scene.attacker.refusals()) == 1)
    assert list(scene.attacker.refusals().values()) == [[Refusal.CANCELLED_BEFORE]]
    assert {one.id for one in _alerts(scene)} == {first.id, third.id}
    for alert in (first, third):
        scene.send(Kind.CANCEL, scene.offices.cancel(alert))
    await scene.speaker.until_quiet()
    await scene.still_obeys()


async def test_flood_of_history(scene: Scene) -> None:
    """every command ever sent, over and over — nothing is heard, and what is true comes through at once."""
    old = [seal(kind, SPEECH[kind](scene.offices), C1) for kind in COMMANDS[:4] for _ in range(20)]
    await asyncio.sleep(ALERT_LIFE_S + 70)
    await scene.speaker.until_quiet(within_s=60)
    began = scene.wall
    for _ in range(3):
        for envelope in old:
            scene.attacker.on_topic(ALERT, envelope.pack())
    await scene.attacker.until(lambda: len(scene.attacker.refusals()) == len(old))
    await scene.speaker.silent_for(5, since_ms=began)
    assert {reason for told in scene.attacker.refusals().values() for reason in told} == {Refusal.EXPIRED}
    await scene.still_obeys()


def _alerts(scene: Scene) -> list[Alert]:
    state = scene.speaker.state
    assert state is not None, "it is switched on"
    return [one.document for one in state.trust.documents.values() if isinstance(one.document, Alert)]
