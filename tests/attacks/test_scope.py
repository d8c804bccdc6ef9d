"""Re-scoped: a true authority, used where it does not reach."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from protocol import codec
from protocol.bulletin import BulletinClass
from protocol.document import Kind
from protocol.envelope import Envelope, sign
from protocol.errors import Refusal
from protocol.topics import ALERT, DOC
from protocol.units import UnitPath
from protocol.verbs import Verb
from simulators.attacker import PATHS
from tests.attacks.offices import (
    C1,
    COMMUNE,
    NEIGHBOUR,
    NEIGHBOUR_KEY,
    P1,
    P2,
    PLACE_KEY,
    PREFIX,
    PROVINCE,
    SCHEDULER,
    STRANGER,
    Offices,
    grant,
    seal,
    sign_grant,
)
from tests.attacks.scene import Scene
from tests.attacks.speech import SPEECH

NEIGHBOURS: dict[Kind, Callable[[Offices], Any]] = {
    Kind.ALERT: lambda one: one.alert(scope=NEIGHBOUR, targets=(NEIGHBOUR,)),
    Kind.STOP: lambda one: one.stop(scope=NEIGHBOUR, targets=(NEIGHBOUR,)),
    Kind.SCHEDULE: lambda one: one.schedule(one.now_item(targets=(NEIGHBOUR,)), scope=NEIGHBOUR),
    Kind.AUDIBLE_CONFIG: lambda one: one.config(scope=NEIGHBOUR),
}


@pytest.mark.parametrize("kind", NEIGHBOURS)
async def test_neighbours_document_on_my_topic(scene: Scene, kind: Kind) -> None:
    """the neighbour commune's true documents, sent to this one — no grant for that key is held here."""
    await scene.attacker.deliver("doc", sign_grant(grant(NEIGHBOUR, NEIGHBOUR_KEY)).pack())
    await scene.refused(
        lambda _: seal(kind, NEIGHBOURS[kind](scene.offices), NEIGHBOUR_KEY).pack(), Refusal.UNKNOWN_KEY
    )


async def test_provinces_word_for_the_neighbour(scene: Scene) -> None:
    """the province's true alert for the neighbour, sent to this device — it is not addressed, and says nothing."""

    async def send() -> None:
        for path in PATHS:
            alert = scene.offices.alert(scope=PROVINCE, targets=(NEIGHBOUR,))
            await scene.attacker.deliver(path, seal(Kind.ALERT, alert, P1, P2).pack())

    await scene.ignored(send)
    await scene.still_obeys()


@pytest.mark.parametrize("targets", ((COMMUNE,), (NEIGHBOUR, COMMUNE)))
async def test_targets_changed(scene: Scene, targets: tuple[UnitPath, ...]) -> None:
    """a true alert for the neighbour with this commune written into its targets — the targets are signed."""

    def forge(_: str) -> bytes:
        made = scene.offices.alert(scope=PROVINCE, targets=(NEIGHBOUR,))
        true = seal(Kind.ALERT, made, P1, P2)
        fields = {name: getattr(made, name) for name in made.__dataclass_fields__} | {"targets": targets}
        return Envelope(true.payload_type, codec.encode(type(made)(**fields)), true.signatures).pack()

    await scene.refused(forge, Refusal.BAD_SIGNATURE)


@pytest.mark.parametrize("kind", SPEECH)
async def test_single_devices_key_for_the_commune(scene: Scene, kind: Kind) -> None:
    """the key of one loudspeaker's own office speaks for the whole commune — out of its scope."""
    await scene.refused(lambda _: seal(kind, SPEECH[kind](scene.offices), PLACE_KEY).pack(), Refusal.OUT_OF_SCOPE)


async def test_commune_speaks_for_the_province(scene: Scene) -> None:
    """the commune's key signs a province-wide alert — out of its scope."""

    def forge(_: str) -> bytes:
        return seal(Kind.ALERT, scene.offices.alert(scope=PROVINCE, targets=(COMMUNE,)), C1).pack()

    await scene.refused(forge, Refusal.OUT_OF_SCOPE)


async def test_scope_that_is_a_string_prefix(scene: Scene) -> None:
    """an office of vn/92/314 speaks for vn/92/31498 — paths are compared by segment, its grant is not even held."""
    await scene.attacker.deliver("doc", sign_grant(grant(PREFIX, STRANGER)).pack())
    await scene.refused(lambda _: seal(Kind.ALERT, scene.offices.alert(), STRANGER).pack(), Refusal.UNKNOWN_KEY)


async def test_document_whose_scope_is_a_string_prefix(scene: Scene) -> None:
    """the province's own ordinary programme for vn/92/314 — it addresses nobody here."""

    async def send() -> None:
        for path in PATHS:
            item = scene.offices.now_item(targets=(PREFIX,), bulletin_class=BulletinClass.PRIORITY)
            made = scene.offices.schedule(item, scope=PREFIX)
            await scene.attacker.deliver(path, seal(Kind.SCHEDULE, made, P1).pack())

    await scene.ignored(send)
    await scene.still_obeys()


ODD_PATHS = ("vn/92/31498/", "/vn/92/31498", "vn//92/31498", "VN/92/31498", "vn/92/../92/31498", "vn/92/31498\n", "")


@pytest.mark.parametrize("path", ODD_PATHS)
async def test_odd_spelling_of_a_scope(scene: Scene, path: str) -> None:
    """a province operator is tricked into signing an odd spelling of a scope — a path has one spelling."""

    def forge(_: str) -> bytes:
        true = codec.encode(scene.offices.alert())
        odd = true.replace(b'"scope":"vn/92/31498"', b'"scope":' + codec.encode(path))
        assert odd != true
        return sign(Kind.ALERT, odd, [P1, P2]).pack()

    await scene.refused(forge, Refusal.MALFORMED_DOCUMENT)


async def test_targets_outside_the_scope(scene: Scene) -> None:
    """a commune's alert whose targets lie outside its scope — such a document cannot be read."""

    def forge(_: str) -> bytes:
        payload = codec.encode(scene.offices.alert(scope=NEIGHBOUR, targets=(NEIGHBOUR,)))
        payload = payload.replace(b'"scope":"vn/92/31500"', b'"scope":"vn/92/31498"')
        return sign(Kind.ALERT, payload, [C1]).pack()

    await scene.refused(forge, Refusal.MALFORMED_DOCUMENT)


async def test_provinces_ordinary_programme(scene: Scene) -> None:
    """the province's own ordinary programme, aired without the commune — ordinary items come from home only."""
    offices = scene.offices
    made = offices.schedule(offices.now_item(), scope=PROVINCE)
    began = scene.wall
    await scene.attacker.deliver("doc", seal(Kind.SCHEDULE, made, P1).pack())
    await scene.speaker.wait_state(lambda state: f"schedule/{PROVINCE}" in state.trust.documents)
    await scene.speaker.silent_for(30, since_ms=began)
    await scene.still_obeys()


# Verbs.

WITHOUT: dict[Kind, Verb] = {
    Kind.AUDIBLE_CONFIG: Verb.CONFIGURE,
    Kind.ALERT: Verb.ALERT,
    Kind.ALERT_TEST: Verb.ALERT,
    Kind.CANCEL: Verb.ALERT,
    Kind.STOP: Verb.STOP,
    Kind.LIVE_SESSION: Verb.LIVE,
}


@pytest.mark.parametrize("kind", WITHOUT)
async def test_verb_that_was_not_granted(scene: Scene, kind: Kind) -> None:
    """an editor of schedules signs rules, alerts, cancels, stops and sessions — the verb is missing."""
    await scene.refused(lambda _: seal(kind, SPEECH[kind](scene.offices), SCHEDULER).pack(), Refusal.VERB_NOT_GRANTED)


async def test_alert_to_several_units_by_one(scene: Scene) -> None:
    """the commune's operator alone alerts two units below — more than one unit needs the wide verb."""

    def forge(_: str) -> bytes:
        targets = (UnitPath(f"{COMMUNE}/c07"), UnitPath(f"{COMMUNE}/c08"))
        return seal(Kind.ALERT, scene.offices.alert(targets=targets), C1).pack()

    await scene.refused(forge, Refusal.VERB_NOT_GRANTED)


# Topics.


async def test_topics_confused(scene: Scene) -> None:
    """an alert where parcels belong, a parcel where alerts belong, either as a segment — a topic proves nothing."""
    forged = seal(Kind.ALERT, scene.offices.alert(), STRANGER).pack()
    began, before = scene.wall, scene.speaker.on_disk()
    known = len(scene.attacker.receipts())
    for leaf, data, reason in (
        (DOC, forged, Refusal.MALFORMED_DOCUMENT),
        (ALERT, scene.offices.parcel(), Refusal.MALFORMED_ENVELOPE),
        (ALERT, b"LLS1" + bytes(500), Refusal.MALFORMED_ENVELOPE),
        (DOC, b"LLS1" + bytes(501), Refusal.MALFORMED_DOCUMENT),
    ):
        scene.attacker.on_topic(leaf, data)
        await scene.told(known, reason)
        known += 1
    scene.attacker.segment(forged)
    await scene.speaker.silent_for(5, since_ms=began)
    assert scene.speaker.on_disk() == before
    await scene.still_obeys()


@pytest.mark.parametrize("topic", ("loalang/v1/u/vn/92/99999/alert", "alert", "x/alert", "$SYS/alert"))
async def test_topic_nobody_asked_for(scene: Scene, topic: str) -> None:
    """a forged alert on a topic that was never subscribed to — only what is signed counts, wherever it stands."""
    began, known = scene.wall, len(scene.attacker.receipts())
    scene.attacker.broker.publish(topic, seal(Kind.ALERT, scene.offices.alert(), STRANGER).pack())
    await scene.told(known, Refusal.UNKNOWN_KEY)
    await scene.speaker.silent_for(5, since_ms=began)
    await scene.still_obeys()
