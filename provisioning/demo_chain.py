"""The demo's chain of authority, and its words on where the loudspeakers belong.

Anchor (2 of 3, locked away) → the city's committee (both of its people, every verb) → the city's media centre, its
emergency desk (both people) and the communes' stations → the communes' operators. As in a real province, the anchor's
keys are needed once a year; everything below is signed by those whose affair it is.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from protocol.assignment import Assignment, Placement
from protocol.clock import DAY_MS, WallMs
from protocol.document import read
from protocol.envelope import Envelope
from protocol.grants import Anchor, HeldGrant, accept_grant
from protocol.keys import SigningKey
from protocol.units import UnitPath, parent, unit_path
from protocol.verbs import Verb
from provisioning.ceremony import OPERATOR_LIFE_MS, Office, make_assignment, make_grant

PROVINCE: Final = unit_path("vn/92")
ROOT_OFFICE: Final = "province-office"
_DAILY: Final = (Verb.SCHEDULE, Verb.CONFIGURE, Verb.LIVE, Verb.STOP)
_LIFE_MS: Final = (360 * DAY_MS, 180 * DAY_MS, OPERATOR_LIFE_MS)
"""By the number of grants that may still follow, from the top: whoever is used daily lives shortest."""


@dataclass(frozen=True, slots=True)
class Holder:
    """A person with a key: name of the key file, the person, the public half, the unit."""

    key: str
    holder: str
    public: str
    scope: UnitPath


@dataclass(frozen=True, slots=True)
class Table:
    """Who sits at the table with which keys.

    Attributes:
        anchor_signers: enough of the anchor's holders.
        signers: operators' open keys by name.
    """

    anchor: Anchor
    people: Sequence[Holder]
    anchor_signers: Sequence[SigningKey]
    signers: Mapping[str, SigningKey]

    @property
    def above(self) -> tuple[Holder, ...]:
        """The people of the whole province."""
        return tuple(one for one in self.people if one.scope == PROVINCE)

    @property
    def communes(self) -> tuple[Holder, ...]:
        """The communes' people."""
        return tuple(one for one in self.people if one.scope != PROVINCE)


class _Chain:
    def __init__(self, table: Table, *, wall: WallMs, serial: int) -> None:
        # Machines of one demo may disagree by a little; a grant from tomorrow would silence it for a day.
        self._table, self._begin, self._serial = table, WallMs(wall - DAY_MS), serial
        self._held: dict[str, HeldGrant] = {}
        self.made: dict[str, Envelope] = {}

    def add(self, name: str, office: Office, signers: Sequence[SigningKey], parent: HeldGrant | None) -> HeldGrant:
        envelope = make_grant(
            office,
            signers=signers,
            not_before=self._begin,
            life_ms=_LIFE_MS[2 - min(office.depth, 2)],
            serial=self._serial,
            parent=parent,
        )
        held = accept_grant(envelope, self._table.anchor, self._held)
        self._held[held.digest] = held
        self.made[name] = envelope
        return held


def make_chain(table: Table, names: Mapping[UnitPath, str], *, wall: WallMs, serial: int) -> dict[str, Envelope]:
    """The grants by file name, parents before children."""
    chain = _Chain(table, wall=wall, serial=serial)
    above = tuple(one.public for one in table.above)
    both = [table.signers[one.key] for one in table.above]
    committee = Office("Ủy ban nhân dân thành phố", PROVINCE, tuple(Verb), above, threshold=len(above), depth=2)
    top = chain.add(ROOT_OFFICE, committee, table.anchor_signers[: table.anchor.threshold], None)
    daily = Office("Trung tâm truyền thông thành phố", PROVINCE, (*_DAILY, Verb.ASSIGN), above)
    chain.add("province-daily", daily, both, top)
    alert = Office("Trực khẩn cấp thành phố", PROVINCE, (Verb.ALERT, Verb.ALERT_WIDE), above, threshold=len(above))
    chain.add("province-alert", alert, both, top)
    for one in table.communes:
        unit = names.get(one.scope, one.scope)
        spoken = (*_DAILY, Verb.ALERT)
        name = f"Đài truyền thanh {unit[:1].lower()}{unit[1:]}"
        station = Office(name, one.scope, (*spoken, Verb.GRANT), (one.public,), depth=1)
        held = chain.add(f"commune-{one.key}", station, both, top)
        operator = Office(one.holder, one.scope, spoken, (one.public,))
        chain.add(f"operator-{one.key}", operator, [table.signers[one.key]], held)
    return chain.made


def place_all(devices: Mapping[str, UnitPath], *, wall: WallMs, signer: SigningKey) -> dict[str, Envelope]:
    """Words on where loudspeakers belong, one for each unit, by file name."""
    units: dict[UnitPath, list[Placement]] = {}
    for device, place in sorted(devices.items()):
        home = parent(place)
        if home is not None:
            units.setdefault(home, []).append(Placement(device, place))
    return {
        f"{unit.replace('/', '-')}-{wall}": make_assignment(unit, found, issued=wall, signers=[signer])
        for unit, found in units.items()
    }


def placed_devices(words: Iterable[Envelope]) -> frozenset[str]:
    """Loudspeakers that some word names."""
    read_as = (read(one) for one in words)
    return frozenset(one.device for word in read_as if isinstance(word, Assignment) for one in word.placements)
