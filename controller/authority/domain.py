"""Offices as a tree, how each grant stands, when it runs out, and what a denial would end. Pure.

An office is what a renewal keeps: the same grantor, holder and scope. Of an office the page shows the grant that
speaks now; former ones are history.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from controller.signing.judging import Authority
from protocol.clock import DAY_MS, WallMs
from protocol.grants import ANCHOR_ID, Grant, HeldGrant, chain, held_anchor
from protocol.keys import key_id
from protocol.units import UnitPath

WARN_DAYS: Final = (3, 14, 30)
"""How long ahead an end is told, most urgent first."""


class State(StrEnum):
    """How a grant stands."""

    SPEAKS = "speaks"
    LATER = "later"
    RENEWED = "renewed"
    DENIED = "denied"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class Node:
    """An office.

    Attributes:
        grant: the grant that speaks, or else the newest.
        warn: 30, 14 or 3 when it ends within so many days, 0 when it has ended; None otherwise.
    """

    held: HeldGrant
    state: State
    warn: int | None
    former: tuple[tuple[HeldGrant, State], ...] = ()
    below: tuple[Node, ...] = field(default=())

    @property
    def grant(self) -> Grant:
        """What it allows."""
        return self.held.grant


def warn_level(expires: WallMs, now: WallMs) -> int | None:
    """How urgent an end is: 0 when it has come, else the shortest of the warning times that it lies within."""
    if expires <= now:
        return 0
    return next((days for days in WARN_DAYS if expires - now <= days * DAY_MS), None)


def _begun(authority: Authority, now: WallMs) -> dict[str, int]:
    """The highest serial of each office that has begun."""
    found: dict[str, int] = {}
    for one in authority.grants.values():
        if one.grant.not_before <= now:
            found[one.office] = max(one.grant.serial, found.get(one.office, 0))
    return found


def _fallen(held: HeldGrant, authority: Authority, now: WallMs) -> State | None:
    links = chain(held, authority.grants) or (held,)
    if any(link.grant.epoch < authority.denied.get(link.grantor, 0) for link in links):
        return State.DENIED
    return State.ENDED if any(link.grant.expires <= now for link in links) else None


def state_of(held: HeldGrant, authority: Authority, now: WallMs, *, begun: Mapping[str, int] | None = None) -> State:
    """How a grant stands, the strongest reason first."""
    fallen = _fallen(held, authority, now)
    if fallen is not None:
        return fallen
    if (_begun(authority, now) if begun is None else begun).get(held.office, 0) > held.grant.serial:
        return State.RENEWED
    return State.LATER if held.grant.not_before > now else State.SPEAKS


def current(authority: Authority, now: WallMs) -> dict[str, HeldGrant]:
    """Of each office the grant that stands and has the highest serial."""
    found: dict[str, HeldGrant] = {}
    for one in authority.grants.values():
        if _fallen(one, authority, now) is None:
            former = found.get(one.office)
            if former is None or one.grant.serial > former.grant.serial:
                found[one.office] = one
    return found


def grantor_of(held: HeldGrant, authority: Authority) -> HeldGrant:
    """Who gave it: the grant above, or the anchor."""
    above = authority.grants.get(held.grant.parent)
    return above if above is not None else held_anchor(authority.anchor)


def grow(authority: Authority, now: WallMs) -> tuple[Node, ...]:
    """The offices below the anchor, each with those below it."""
    begun = _begun(authority, now)
    offices: dict[str, list[tuple[HeldGrant, State]]] = {}
    for held in authority.grants.values():
        offices.setdefault(held.office, []).append((held, state_of(held, authority, now, begun=begun)))
    children: dict[str, list[str]] = {}
    for office, found in offices.items():
        children.setdefault(_office_above(found[0][0], authority), []).append(office)

    def made(office: str) -> Node:
        found = sorted(offices[office], key=_foremost)
        (held, state), *former = found
        warn = warn_level(held.grant.expires, now) if state is not State.DENIED else None
        below = tuple(sorted((made(one) for one in children.get(office, ())), key=_order))
        return Node(held, state, warn, tuple(former), below)

    return tuple(sorted((made(one) for one in children.get(ANCHOR_ID, ())), key=_order))


def _office_above(held: HeldGrant, authority: Authority) -> str:
    above = authority.grants.get(held.grant.parent)
    return above.office if above is not None else ANCHOR_ID


_RANK: Final = {State.SPEAKS: 0, State.LATER: 1, State.RENEWED: 2, State.ENDED: 3, State.DENIED: 4}


def _foremost(pair: tuple[HeldGrant, State]) -> tuple[int, int]:
    held, state = pair
    return (_RANK[state], -held.grant.serial)


def _order(node: Node) -> tuple[int, str, str]:
    return (_RANK[node.state] // 3, node.grant.scope, node.grant.holder)


def walk(nodes: Iterable[Node]) -> Iterable[Node]:
    """All offices, those above first."""
    for node in nodes:
        yield node
        yield from walk(node.below)


def running_out(nodes: Iterable[Node]) -> tuple[Node, ...]:
    """Offices that speak and end within a month, or have ended and were not denied; the most urgent first."""
    due = [one for one in walk(nodes) if one.warn is not None]
    return tuple(sorted(due, key=lambda one: (one.grant.expires, len(one.grant.scope))))


def names_of_keys(authority: Authority) -> Mapping[str, str]:
    """Whose key it is, where an operator's grant names one person and one key."""
    single = (one.grant for one in authority.grants.values() if one.grant.depth == 0 and len(one.grant.keys) == 1)
    return {key_id(one.keys[0]): one.holder for one in single}


# What a denial ends


@dataclass(frozen=True, slots=True)
class Ending:
    """The end of one office, and what has to be made anew because the same grantor gave it.

    Attributes:
        scope, holder, epoch: of the denial.
        ends: offices that end for good: the one that is meant and all below it.
        again: offices that end with it but are meant to stay, those above first.
    """

    scope: UnitPath
    holder: str
    epoch: int
    ends: tuple[HeldGrant, ...]
    again: tuple[Again, ...]

    @property
    def safe(self) -> bool:
        """Nothing that is meant to stay falls silent by the denial."""
        return all(one.done for one in self.again)


@dataclass(frozen=True, slots=True)
class Again:
    """An office that must be issued anew.

    Attributes:
        done: a grant of it is in force that the denial does not touch.
        ready: the grant above it is done, so it can be made now.
        direct: given by the grantor itself, so it needs the new epoch.
    """

    held: HeldGrant
    done: bool
    ready: bool
    direct: bool


def ending_of(held: HeldGrant, authority: Authority, now: WallMs) -> Ending:
    """What a denial that ends this grant would do."""
    above = grantor_of(held, authority).grant
    epoch = max(authority.denied.get(held.grantor, 0), held.grant.epoch) + 1
    after = Authority(authority.anchor, authority.grants, {**authority.denied, held.grantor: epoch})
    newest = [one for one in current(authority, now).values() if _below(one, held.grantor, authority)]
    ends = [one for one in newest if _is_under(one, held, authority)]
    gone = {one.office for one in ends}
    stay = sorted((one for one in newest if one.office not in gone), key=lambda one: _depth(one, authority))
    safe = current(after, now)
    again = tuple(_again(one, held.grantor, authority, safe) for one in stay)
    ends.sort(key=lambda one: _depth(one, authority))
    return Ending(above.scope, above.holder, epoch, tuple(ends), again)


def _again(held: HeldGrant, grantor: str, authority: Authority, safe: Mapping[str, HeldGrant]) -> Again:
    direct = held.grantor == grantor
    above = authority.grants.get(held.grant.parent)
    ready = direct or (above is not None and above.office in safe)
    return Again(held, held.office in safe, ready, direct)


def _below(held: HeldGrant, grantor: str, authority: Authority) -> bool:
    return any(link.grantor == grantor for link in chain(held, authority.grants) or ())


def _is_under(held: HeldGrant, top: HeldGrant, authority: Authority) -> bool:
    return any(link.office == top.office for link in chain(held, authority.grants) or ())


def _depth(held: HeldGrant, authority: Authority) -> int:
    return len(chain(held, authority.grants) or ())
