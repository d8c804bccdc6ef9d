"""Forged: whoever has no operator's key can make nothing that is obeyed."""

from __future__ import annotations

import dataclasses

import pytest

from protocol.document import Kind
from protocol.envelope import Envelope, Signature, countersign, sign
from protocol.errors import Refusal
from protocol.keys import SigningKey
from tests.attacks.offices import (
    C1,
    COMMUNE,
    ELSEWHERE_ROOTS,
    FRESHNESS,
    NEIGHBOUR,
    NEIGHBOUR_KEY,
    NINE,
    P1,
    PROVINCE,
    STRANGER,
    grant,
    seal,
    sign_grant,
)
from tests.attacks.scene import Scene
from tests.attacks.speech import SPEECH


async def test_no_attack(scene: Scene) -> None:
    """no attack at all — the true programme begins at its second, so silence in the other tests means something."""
    await scene.programme_heard(NINE + 600_000)
    await scene.speaker.until_quiet(within_s=60)
    await scene.still_obeys()


@pytest.mark.parametrize("kind", SPEECH)
async def test_forged(scene: Scene, kind: Kind) -> None:
    """every kind of speech under a key of his own — no grant names the key."""
    await scene.refused(lambda _: seal(kind, SPEECH[kind](scene.offices), STRANGER).pack(), Refusal.UNKNOWN_KEY)


@pytest.mark.parametrize("kind", SPEECH)
async def test_forged_by_insider(scene: Scene, kind: Kind) -> None:
    """every kind by the neighbour's operator, grant enclosed — a device keeps only its own units' grants."""
    neighbour = sign_grant(grant(NEIGHBOUR, NEIGHBOUR_KEY)).pack()
    await scene.ignored(lambda: scene.attacker.deliver("doc", neighbour))

    def forge(_: str) -> bytes:
        return seal(kind, SPEECH[kind](scene.offices), NEIGHBOUR_KEY).pack()

    await scene.refused(forge, Refusal.UNKNOWN_KEY)


@pytest.mark.parametrize("kind", SPEECH)
async def test_forged_with_the_controllers_key(scene: Scene, kind: Kind) -> None:
    """every kind under the controller's freshness key — that key answers for the time and for nothing else."""
    await scene.refused(lambda _: seal(kind, SPEECH[kind](scene.offices), FRESHNESS).pack(), Refusal.UNKNOWN_KEY)


async def test_forged_signature_under_a_true_name(scene: Scene) -> None:
    """his signature with the operator's key id beside it — the id looks a key up, it proves nothing."""

    def forge(_: str) -> bytes:
        true = seal(Kind.ALERT, scene.offices.alert(), C1)
        forged = sign(Kind.ALERT, true.payload, [STRANGER]).signatures[0].signature
        return dataclasses.replace(true, signatures=(Signature(true.signatures[0].key_id, forged),)).pack()

    await scene.refused(forge, Refusal.BAD_SIGNATURE)


async def test_forged_beside_a_true_signature(scene: Scene) -> None:
    """a true signature of another document among eight false ones — each signature is over these very bytes."""

    def forge(_: str) -> bytes:
        stolen = seal(Kind.ALERT, scene.offices.alert(), C1).signatures
        forged = seal(Kind.ALERT, scene.offices.alert(), STRANGER)
        return dataclasses.replace(forged, signatures=(*stolen, *forged.signatures * 7)).pack()

    await scene.refused(forge, Refusal.BAD_SIGNATURE)


async def test_unsigned(scene: Scene) -> None:
    """an envelope without a signature — nothing names a key."""

    def forge(_: str) -> bytes:
        return dataclasses.replace(seal(Kind.ALERT, scene.offices.alert(), C1), signatures=()).pack()

    await scene.refused(forge, Refusal.UNKNOWN_KEY)


async def test_signed_in_another_province(scene: Scene) -> None:
    """a whole tree of another province, from its anchor down — only this province's anchor is pinned here."""
    elsewhere = sign_grant(grant(COMMUNE, STRANGER), *ELSEWHERE_ROOTS)
    known = len(scene.attacker.receipts())
    await scene.attacker.deliver("doc", elsewhere.pack())
    await scene.told(known, Refusal.UNKNOWN_KEY)
    await scene.refused(lambda _: seal(Kind.ALERT, scene.offices.alert(), STRANGER).pack(), Refusal.UNKNOWN_KEY)


# Thresholds.


async def test_one_of_two_signers(scene: Scene) -> None:
    """a wide emergency with one signature of the two it needs — distinct keys are counted."""

    def forge(_: str) -> bytes:
        wide = scene.offices.alert(scope=PROVINCE, targets=(COMMUNE, NEIGHBOUR))
        return seal(Kind.ALERT, wide, P1).pack()

    await scene.refused(forge, (Refusal.THRESHOLD_NOT_MET, Refusal.VERB_NOT_GRANTED))


def again(envelope: Envelope, key: SigningKey, *, times: int) -> Envelope:
    """The same key's signature as often as wanted."""
    signature = countersign(envelope, key).signatures[-1]
    return dataclasses.replace(envelope, signatures=(signature,) * times)


async def test_one_signer_three_times(scene: Scene) -> None:
    """a wide emergency signed three times by the same key — a key counts once, however often it stands there."""

    def forge(_: str) -> bytes:
        wide = scene.offices.alert(scope=PROVINCE, targets=(COMMUNE, NEIGHBOUR))
        return again(seal(Kind.ALERT, wide, P1), P1, times=3).pack()

    await scene.refused(forge, (Refusal.THRESHOLD_NOT_MET, Refusal.VERB_NOT_GRANTED))
