"""A stolen operator's key, and the deny epoch that answers it."""

from __future__ import annotations

import asyncio

import pytest

from protocol.clock import WallMs
from protocol.denial import Denial
from protocol.document import Kind
from protocol.envelope import Envelope
from protocol.errors import Refusal
from protocol.freshness import Newest
from protocol.grants import ANCHOR_ID
from protocol.keys import SigningKey
from protocol.report import FaultCode
from protocol.units import UnitPath
from protocol.verbs import Verb
from tests.attacks.offices import (
    C1,
    COMMUNE,
    FRESHNESS,
    OPERATOR_VERBS,
    P1,
    PROVINCE,
    ROOTS,
    STRANGER,
    grant,
    key,
    seal,
    sign_grant,
)
from tests.attacks.scene import Scene

STATION, THIEF = key("station"), key("stolen")
PARENT = sign_grant(grant(COMMUNE, STATION, holder="đài xã", verbs=(*OPERATOR_VERBS, Verb.GRANT), depth=1))
STOLEN = sign_grant(grant(COMMUNE, THIEF, holder="biên tập viên", parent=PARENT.digest), STATION)


def denial(
    scene: Scene,
    *keys: SigningKey,
    epoch: int = 1,
    holder: str = "đài xã",
    scope: UnitPath = COMMUNE,
    at: WallMs | None = None,
) -> Envelope:
    return seal(Kind.DENIAL, Denial(scope, holder, epoch, at or scene.offices.wall), *keys)


async def take(scene: Scene, *envelopes: Envelope) -> None:
    """The honest controller delivers these."""
    for envelope in envelopes:
        await scene.attacker.deliver("doc", envelope.pack())
        await _taken(scene, envelope)


async def _taken(scene: Scene, envelope: Envelope) -> None:
    if envelope.kind == Kind.GRANT:
        await scene.speaker.wait_state(lambda state: envelope.digest in state.trust.grants)
    else:
        await scene.attacker.until(lambda: scene.attacker.receipts(envelope.digest))


async def test_stolen_key_falls_silent_in_the_middle_of_a_word(scene: Scene) -> None:
    """a stolen operator's key sounds an alarm — the deny epoch ends it at once, and the key counts no more."""
    await take(scene, PARENT, STOLEN)
    scene.key = THIEF
    await scene.alarm()
    scene.key = C1
    await take(scene, denial(scene, STATION))
    await scene.speaker.until_quiet()
    await scene.refused(lambda _: seal(Kind.ALERT, scene.offices.alert(), THIEF).pack(), Refusal.UNKNOWN_KEY)


async def test_denied_grant_is_sent_again(scene: Scene) -> None:
    """the stolen key's grant is sent again after its denial and a power cut — epochs never fall."""
    await take(scene, PARENT, STOLEN, denial(scene, STATION))
    known = len(scene.attacker.receipts())
    await scene.speaker.cut_power()
    await scene.power_up()
    known = len(scene.attacker.receipts())
    await scene.attacker.deliver("doc", STOLEN.pack())
    await scene.told(known, Refusal.GRANT_DENIED)
    await scene.refused(lambda _: seal(Kind.ALERT, scene.offices.alert(), THIEF).pack(), Refusal.UNKNOWN_KEY)


async def test_denial_is_rolled_back(scene: Scene) -> None:
    """an older denial is sent after a newer one — the epoch stays where it was."""
    older, newer = denial(scene, STATION, epoch=1), denial(scene, STATION, epoch=2)
    await take(scene, PARENT, newer)
    await scene.refused(lambda _: older.pack(), Refusal.OLDER_VERSION, paths=("doc",))


async def test_version_of_nine_billion(scene: Scene) -> None:
    """a thief signs version nine billion, so that no later schedule is newer — a denied key's numbers bind nobody."""
    await take(scene, PARENT, STOLEN)
    await take(scene, seal(Kind.SCHEDULE, scene.offices.schedule(version=9_000_000_000), THIEF))
    await take(scene, denial(scene, STATION))
    item = scene.offices.now_item(in_ms=8000)
    await take(scene, seal(Kind.SCHEDULE, scene.offices.schedule(item), C1))
    await scene.programme_heard(item.when.starts[0])  # type: ignore[union-attr]


@pytest.mark.parametrize("who", ["stranger", "controller", "operator", "one anchor key"])
async def test_forged_denial(scene: Scene, who: str) -> None:
    """a denial by a stranger, the controller, an operator, or too few of the anchor — nobody is silenced by it."""
    keys, reason = {
        "stranger": (STRANGER, Refusal.UNKNOWN_KEY),
        "controller": (FRESHNESS, Refusal.UNKNOWN_KEY),
        "operator": (C1, Refusal.OUT_OF_SCOPE),
        "one anchor key": (ROOTS[0], Refusal.THRESHOLD_NOT_MET),
    }[who]

    def forge(path: str) -> bytes:
        epoch = 1 + ("doc", "poll", "stick").index(path)
        return denial(scene, keys, holder=ANCHOR_ID, scope=PROVINCE, epoch=epoch).pack()

    await scene.refused(forge, reason, paths=("doc", "poll", "stick"))


async def test_denial_by_an_office_beside(scene: Scene) -> None:
    """one office of a commune denies what another one gave — each denies for itself, or one above it."""
    other = key("other office")
    beside = sign_grant(grant(COMMUNE, other, holder="văn phòng", verbs=(*OPERATOR_VERBS, Verb.GRANT), depth=1))
    await take(scene, PARENT, STOLEN, beside)
    await scene.refused(lambda _: denial(scene, other).pack(), Refusal.VERB_NOT_GRANTED, paths=("doc",))


async def test_denial_is_kept_from_the_device(scene: Scene) -> None:
    """the controller keeps a denial back while its heads go on — what a head names and is not held is told."""
    await take(scene, PARENT, STOLEN)
    await asyncio.sleep(2)  # a head with the date of the one before is no news
    word = Denial(COMMUNE, "đài xã", 1, scene.offices.wall)
    newest = (Newest(COMMUNE, f"denial/{word.grantor}", 1),)
    await scene.attacker.deliver("doc", scene.attacker.head(newest=newest).pack())

    def told() -> bool:
        withheld = [one for one in scene.attacker.faults() if one.code is FaultCode.DOCUMENT_WITHHELD]
        return any("denial" in one.detail for one in withheld)

    await scene.attacker.until(told, within_s=300)


async def test_renewed_office_still_used_by_its_former_holder(scene: Scene) -> None:
    """who left the office goes on signing with the old grant — of an office the newest serial speaks."""
    await take(scene, sign_grant(grant(COMMUNE, key("successor"), serial=3)))
    scene.key = key("successor")
    await scene.refused(lambda _: seal(Kind.ALERT, scene.offices.alert(), C1).pack(), Refusal.GRANT_RENEWED)


async def test_office_taken_over_by_its_name(scene: Scene) -> None:
    """a grantor names a grant like somebody else's office, with a higher serial — it is another office."""
    await take(scene, PARENT)
    known = len(scene.attacker.receipts())
    usurped = sign_grant(grant(COMMUNE, THIEF, serial=99, verbs=(Verb.STOP,), parent=PARENT.digest), STATION)
    await scene.attacker.deliver("doc", usurped.pack())
    await scene.speaker.wait_state(lambda state: usurped.digest in state.trust.grants)
    assert len(scene.attacker.receipts()) == known
    await scene.still_obeys()


async def test_province_key_does_not_deny_the_anchor(scene: Scene) -> None:
    """a province operator who may grant denies for the anchor — only the anchor does."""
    above = sign_grant(grant(PROVINCE, P1, holder="sở", verbs=(*OPERATOR_VERBS, Verb.GRANT), depth=2))
    await take(scene, above)
    await scene.refused(
        lambda _: denial(scene, P1, holder=ANCHOR_ID, scope=PROVINCE).pack(), Refusal.VERB_NOT_GRANTED, paths=("doc",)
    )
