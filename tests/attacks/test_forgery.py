"""Forged and altered documents: whoever has no operator's key can make nothing that is obeyed."""

from __future__ import annotations

from protocol.document import Kind
from protocol.errors import Refusal
from tests.attacks.offices import NEIGHBOUR_KEY, NINE, STRANGER, seal
from tests.attacks.scene import Scene


async def test_the_true_programme_is_heard(scene: Scene) -> None:
    """no attack — the device says and plays what was signed, so silence in the other tests means something."""
    await scene.programme_heard(NINE + 600_000)
    await scene.speaker.until_quiet(within_s=60)
    await scene.still_obeys()


async def test_forged_alert(scene: Scene) -> None:
    """an emergency signed by a key of his own — no grant names the key."""
    await scene.refused(lambda _: seal(Kind.ALERT, scene.offices.alert(), STRANGER).pack(), Refusal.UNKNOWN_KEY)


async def test_forged_by_an_insider(scene: Scene) -> None:
    """an emergency signed by the neighbouring commune's operator — the device knows only grants of its own units."""
    await scene.refused(lambda _: seal(Kind.ALERT, scene.offices.alert(), NEIGHBOUR_KEY).pack(), Refusal.UNKNOWN_KEY)
