"""What ends soon: the grants under which the keys of this machine sign, and the root that everything hangs on.

Warned of 30, 14 and 3 days ahead (trust.md): whoever renews has to find a second person and sometimes a bus.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from protocol.clock import DAY_MS, WallMs
from protocol.errors import Refusal
from protocol.grants import HeldGrant
from protocol.units import UnitPath
from signer.key_ring import HeldKey
from signer.known import Known

_logger = logging.getLogger(__name__)
STEPS_DAYS: Final = (3, 14, 30)
LATELY_MS: Final = 30 * DAY_MS
"""A grant that ended longer ago is nobody's surprise."""
_ROOT_BYTES_MAX: Final = 512 * 1024


@dataclass(frozen=True, slots=True)
class Ending:
    """Something with an end.

    Attributes:
        office: the grant's holder; empty for the root.
        people: whose keys of this machine sign under it.
        days: whole days that are left; negative when it is over.
    """

    office: str
    scope: UnitPath | None
    people: tuple[str, ...]
    ends: WallMs
    days: int

    @property
    def over(self) -> bool:
        """Whether it has ended."""
        return self.days < 0

    @property
    def step(self) -> int | None:
        """Which warning it is: 3, 14 or 30 days; 0 when it is over; None when there is time."""
        return step_of(self.days)


def step_of(days: int) -> int | None:
    """The warning that is due so many whole days before the end; 0 after it."""
    return 0 if days < 0 else next((step for step in STEPS_DAYS if days < step), None)


def endings(known: Known, keys: Iterable[HeldKey], wall: WallMs) -> tuple[Ending, ...]:
    """The offices of this machine's keys, the soonest end first; a renewal that waits counts already."""
    held_here = tuple(keys)
    newest: dict[str, HeldGrant] = {}
    for held in known.grants.values():
        if _speaks(known.objection(held, wall, past=True)):
            former = newest.get(held.office)
            if former is None or held.grant.serial > former.grant.serial:
                newest[held.office] = held
    made = (_ending(held, held_here, wall) for held in newest.values())
    found = (one for one in made if one.people and one.ends > wall - LATELY_MS)
    return tuple(sorted(found, key=lambda one: (one.ends, one.office)))


def _speaks(objection: Refusal | None) -> bool:
    """Expired ones count too: that they ended is what is to be said."""
    return objection in (None, Refusal.GRANT_EXPIRED)


def _ending(held: HeldGrant, keys: tuple[HeldKey, ...], wall: WallMs) -> Ending:
    grant = held.grant
    people = tuple(dict.fromkeys(key.holder for key in keys if key.public in grant.keys))
    return Ending(grant.holder, grant.scope, people, grant.expires, (grant.expires - wall) // DAY_MS)


def root_ending(metadata: Path, wall: WallMs) -> Ending | None:
    """The end of the TUF root that this signer trusts; None when it has none yet."""
    try:
        with (metadata / "root.json").open("rb") as file:
            signed = json.loads(file.read(_ROOT_BYTES_MAX))["signed"]
        ends = datetime.fromisoformat(str(signed["expires"]).replace("Z", "+00:00"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError) as error:
        _logger.warning("the root in %s is not readable: %s", metadata, error)
        return None
    ends_ms = WallMs(int(ends.timestamp() * 1000))
    return Ending("", None, (), ends_ms, (ends_ms - wall) // DAY_MS)
