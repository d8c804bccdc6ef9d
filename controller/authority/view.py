"""What the pages of authorities show, limited to what the viewer may see and do."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from controller.authority import wording
from controller.authority.domain import Node, State, grantor_of, names_of_keys
from controller.people.domain import Role, Viewer
from controller.signing.judging import Authority
from protocol.clock import WallMs
from protocol.grants import ANCHOR_ID, HeldGrant
from protocol.keys import key_id
from protocol.units import UnitPath, covers
from protocol.verbs import Verb


@dataclass(frozen=True, slots=True)
class Key:
    """A public key: the short name of it, and whose it is when that is known."""

    id: str
    person: str


@dataclass(frozen=True, slots=True)
class Row:
    """One office on the page.

    Attributes:
        level: how deep it hangs.
        gone: its unit has ended.
        renews: the viewer may prepare its renewal or its end; signing it is another matter.
        gives: the viewer may prepare a new authority below it.
        kept_by_anchor: it is renewed at the table of the anchor's holders, not here.
    """

    node: Node
    level: int
    unit: str
    gone: bool
    verbs: str
    people: str
    keys: tuple[Key, ...]
    state: str
    badge: str
    left: str
    renews: bool
    gives: bool
    kept_by_anchor: bool
    former: tuple[Mapping[str, Any], ...]


@dataclass(frozen=True, slots=True)
class Eyes:
    """Whoever looks, and what they need to read it.

    Attributes:
        there: units that are there today: what one that ended may still say concerns nobody.
    """

    viewer: Viewer
    authority: Authority
    now: WallMs
    name: Callable[[UnitPath], str]
    there: frozenset[UnitPath]

    def sees(self, scope: UnitPath) -> bool:
        """Their own units, and those above which decide over them."""
        return self.viewer.sees(scope) or any(covers(scope, own) for own in self.viewer.scopes())


def rows(nodes: Iterable[Node], eyes: Eyes) -> tuple[Row, ...]:
    """The tree as a list from above to below."""
    return tuple(_rows(nodes, eyes, names_of_keys(eyes.authority), 0))


def _rows(nodes: Iterable[Node], eyes: Eyes, names: Mapping[str, str], level: int) -> Iterator[Row]:
    for node in nodes:
        if eyes.sees(node.grant.scope):
            yield _row(node, eyes, names, level)
            yield from _rows(node.below, eyes, names, level + 1)


def _row(node: Node, eyes: Eyes, names: Mapping[str, str], level: int) -> Row:
    grant, viewer = node.grant, eyes.viewer
    above = grantor_of(node.held, eyes.authority)
    operates = viewer.may(Role.OPERATOR, above.grant.scope)
    by_anchor = above.digest == ANCHOR_ID
    gives = node.state is State.SPEAKS and Verb.GRANT in grant.verbs and grant.depth > 0
    return Row(
        node=node,
        level=level,
        unit=eyes.name(grant.scope),
        gone=grant.scope not in eyes.there,
        verbs=wording.verbs(grant.verbs),
        people=wording.people(grant.threshold, len(grant.keys)),
        keys=tuple(Key(key_id(one), names.get(key_id(one), "")) for one in grant.keys),
        state=wording.state(node.state),
        badge=wording.BADGES[node.state],
        left=wording.left(grant.expires, eyes.now),
        renews=operates and not by_anchor,
        gives=gives and viewer.may(Role.OPERATOR, grant.scope),
        kept_by_anchor=operates and by_anchor,
        former=tuple(_former(held, state) for held, state in node.former[:5]),
    )


def _former(held: HeldGrant, state: State) -> Mapping[str, Any]:
    return {"serial": held.grant.serial, "expires": held.grant.expires, "state": wording.state(state)}
