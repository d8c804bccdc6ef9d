"""The exact bytes of a word on places. Pure; the signer reads them itself, and only them."""

from __future__ import annotations

from collections.abc import Iterable

from controller.placements.domain import Bundle, Sited, common_ancestor, fits
from controller.signing.request import SigningRequest
from controller.web.explained import N_, Explained
from protocol import codec
from protocol.assignment import Assignment, Placement
from protocol.clock import WallMs
from protocol.document import Kind
from protocol.units import UnitPath, parent, unit_path


def word(bundle: Bundle, now: WallMs) -> SigningRequest:
    """A word on all of a bundle."""
    return _request(bundle.scope, [one.placement for one in bundle.proposals], now)


def move(device: Sited, unit: UnitPath, leaf: str, taken: Iterable[UnitPath], now: WallMs) -> SigningRequest:
    """A word that puts one loudspeaker somewhere else.

    Raises:
        Explained: the place is none, or taken.
    """
    try:
        place = unit_path(f"{unit}/{leaf.strip().lower()}")
    except ValueError:
        place = UnitPath("")
    if parent(place) != unit or not fits(place):
        text = N_("The last part of a place has 1 to 32 characters: small letters a to z, digits and hyphen.")
        raise Explained(text, status=422, code="bad_place")
    if place == device.place:
        raise Explained(N_("The loudspeaker belongs to this place already."), status=409, code="same_place")
    if place in set(taken):
        text = N_("Another loudspeaker or unit has this place. Choose another last part.")
        raise Explained(text, status=409, code="taken")
    former = device.stands if device.stands != place else None
    scope = common_ancestor([unit, parent(device.stands) or device.stands])
    return _request(scope, [Placement(device.id, place, former)], now)


def retire(device: Sited, now: WallMs) -> SigningRequest:
    """A word that takes one loudspeaker out of service: from then on nobody counts it."""
    home = parent(device.stands) or device.stands
    return _request(home, [Placement(device.id, None, device.stands)], now)


def _request(scope: UnitPath, placements: list[Placement], now: WallMs) -> SigningRequest:
    payload = codec.encode(Assignment(scope, now, tuple(placements)))
    return SigningRequest(Kind.ASSIGNMENT, scope, payload, {"loudspeakers": len(placements), "people": None})
