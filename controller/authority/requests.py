"""The exact bytes of new grants, renewals and denials. Pure; the signer reads them itself, and only them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from controller.authority.domain import current, ending_of, grantor_of
from controller.signing.judging import Authority, newest_of_office
from controller.signing.request import SigningRequest
from controller.web.explained import N_, Explained
from protocol import codec
from protocol.clock import DAY_MS, WallMs
from protocol.denial import Denial, grantor_id
from protocol.document import Kind
from protocol.errors import DocumentError
from protocol.grants import ANCHOR_ID, Grant, HeldGrant
from protocol.keys import public_key
from protocol.limits import CLOCK_SKEW_MS_MAX, KEYS_MAX
from protocol.units import UnitPath, covers
from protocol.verbs import Verb

OPERATOR_DAYS_MAX: Final = 90
"""Grants of those who only speak live 30 to 90 days (trust.md)."""


@dataclass(frozen=True, slots=True)
class NewOffice:
    """What a form asks for, checked word by word but not against the grant above."""

    holder: str
    scope: UnitPath
    verbs: tuple[Verb, ...]
    keys: tuple[str, ...]
    threshold: int
    depth: int
    days: int


def new_grant(office: NewOffice, above: HeldGrant, authority: Authority, now: WallMs) -> SigningRequest:
    """A grant below another one.

    Raises:
        Explained: it would be wider than the one above, or its keys are none.
    """
    _check(office, above.grant)
    grantor = grantor_id(above.grant.scope, above.grant.holder)
    begin = _begin(above.grant, now)
    grant = Grant(
        scope=office.scope,
        holder=office.holder,
        verbs=office.verbs,
        keys=office.keys,
        threshold=office.threshold,
        depth=office.depth,
        not_before=begin,
        expires=min(WallMs(now + office.days * DAY_MS), above.grant.expires),
        epoch=authority.denied.get(grantor, 0),
        serial=1,
        parent=above.digest,
    )
    newest = newest_of_office(authority, HeldGrant("", grant, grantor).office)
    if newest is not None:
        grant = replace(grant, serial=newest.grant.serial + 1, epoch=max(grant.epoch, newest.grant.epoch))
    return _request(grant)


def renewal(held: HeldGrant, authority: Authority, now: WallMs, *, epoch: int = 0) -> SigningRequest:
    """The same office for another term of the same length, below the grant above as it is now.

    Args:
        epoch: at least this one; a denial that is being prepared asks for the next.

    Raises:
        Explained: what stands above it has ended, so that has to be renewed first.
    """
    former = held.grant
    above = _above(held, authority, now)
    newest = newest_of_office(authority, held.office)
    assert newest is not None, "it is one of them"
    life_ms = former.expires - former.not_before
    if former.depth == 0:
        life_ms = min(life_ms, OPERATOR_DAYS_MAX * DAY_MS)
    expires = WallMs(now + life_ms)
    grant = replace(
        former,
        not_before=_begin(above.grant, now) if above else WallMs(now - CLOCK_SKEW_MS_MAX),
        expires=min(expires, above.grant.expires) if above else expires,
        serial=newest.grant.serial + 1,
        epoch=max(epoch, former.epoch, authority.denied.get(held.grantor, 0)),
        parent=above.digest if above else ANCHOR_ID,
    )
    return _request(grant)


def denial(held: HeldGrant, authority: Authority, now: WallMs) -> SigningRequest:
    """Ends the grant and whatever else its grantor gave with an epoch as low."""
    ending = ending_of(held, authority, now)
    made = Denial(ending.scope, ending.holder, ending.epoch, now)
    return SigningRequest(Kind.DENIAL, ending.scope, codec.encode(made), {})


def _above(held: HeldGrant, authority: Authority, now: WallMs) -> HeldGrant | None:
    above = grantor_of(held, authority)
    if above.digest == ANCHOR_ID:
        return None
    found = current(authority, now).get(above.office)
    if found is None:
        text = N_("The authority of %(holder)s, which gave this one, has ended. Renew that one first.")
        raise Explained(text, status=409, code="ended_above", holder=above.grant.holder)
    return found


def _begin(above: Grant, now: WallMs) -> WallMs:
    """A little before now: a loudspeaker's clock may be behind ours."""
    return max(WallMs(now - CLOCK_SKEW_MS_MAX), above.not_before)


def _request(grant: Grant) -> SigningRequest:
    return SigningRequest(Kind.GRANT, grant.scope, codec.encode(grant), {})


def _check(office: NewOffice, above: Grant) -> None:
    if not covers(above.scope, office.scope):
        raise _wrong(N_("An authority lies within the unit of the one above it. Choose another unit."))
    if not office.verbs or not set(office.verbs) <= set(above.verbs):
        raise _wrong(N_("Choose at least one thing that it may do, and nothing that the one above may not."))
    if not 0 <= office.depth < above.depth:
        raise _wrong(N_("So many further authorities cannot follow below this one."))
    if Verb.GRANT in office.verbs and office.depth == 0:
        raise _wrong(N_("Whoever may give authority on needs at least one step below."))
    if office.depth and Verb.GRANT not in office.verbs:
        raise _wrong(N_("Steps below only make sense for whoever may give authority on."))
    if not 1 <= office.days <= _days_max(office, above):
        raise _wrong(N_("An operator's authority lasts 1 to 90 days, and none lasts longer than 1,100 days."))
    _check_keys(office)


def _days_max(office: NewOffice, above: Grant) -> int:
    return OPERATOR_DAYS_MAX if office.depth == 0 else 1100


def _check_keys(office: NewOffice) -> None:
    if not 0 < len(office.keys) <= KEYS_MAX or len(set(office.keys)) != len(office.keys):
        raise _wrong(N_("Give between 1 and 16 public keys, each once."))
    for key in office.keys:
        try:
            public_key(key)
        except DocumentError:
            text = N_("“%(key)s” is not a public key. It has 64 characters from 0 to 9 and a to f; copy it again.")
            raise Explained(text, status=422, code="bad_key", key=key[:70]) from None
    if not 1 <= office.threshold <= len(office.keys):
        raise _wrong(N_("Not more people have to sign together than there are keys."))


def _wrong(text: str) -> Explained:
    return Explained(text, status=422, code="wrong_value")
