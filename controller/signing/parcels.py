"""What the parcel of a unit carries, and what no longer belongs into it. Pure but for one reading function.

Order: grants that still matter, parents first; denials; for a device's own place the word that put it there; rules
and schedule. A parcel has room for 64 envelopes, so acceptance refuses a unit's 41st authority and its 17th denial;
words share what is left. What is left out all the same is said in the log, and never the rules or the schedule.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from controller.devices.words import words_by_place
from controller.signing.authority import AnchorMissingError, AuthorityFile
from controller.signing.judging import living
from controller.signing.outgoing import documents_named
from controller.signing.queries import StoredDocument
from protocol.clock import WallMs
from protocol.document import Kind
from protocol.units import UnitPath

logger = logging.getLogger(__name__)

GRANTS_IN_UNIT_MAX: Final = 40
DENIALS_IN_UNIT_MAX: Final = 16
WORDS_IN_PLACE_MAX: Final = 4


@dataclass(frozen=True, slots=True)
class Stock:
    """What is known for all parcels at once.

    Attributes:
        grants: digests of the grants that matter, parents first; None while there is no anchor to judge by.
        words: newest first, by place.
    """

    grants: tuple[str, ...] | None
    words: Mapping[UnitPath, tuple[StoredDocument, ...]] = field(default_factory=dict)


async def load_stock(connection: AsyncConnection, authority: AuthorityFile, now: WallMs) -> Stock:
    """Reads it, once for many parcels."""
    try:
        grants: tuple[str, ...] | None = tuple(living(await authority.load(connection), now))
    except AnchorMissingError:
        grants = None
    by_place = await words_by_place(connection)
    named = await documents_named(connection, {digest for one in by_place.values() for digest in one})
    known = {one.digest: one for one in named}
    words = {place: tuple(known[one] for one in found if one in known) for place, found in by_place.items()}
    return Stock(grants, words)


def contents(unit: UnitPath, found: Iterable[StoredDocument], stock: Stock) -> tuple[StoredDocument, ...]:
    """What goes into the parcel, of all that is in force of the unit."""
    grants, rest = _sorted_out(found, stock)
    denials = [one for one in rest if one.kind is Kind.DENIAL]
    words = stock.words.get(unit, ())
    _tell_left_out(unit, len(grants) > GRANTS_IN_UNIT_MAX or len(words) > WORDS_IN_PLACE_MAX)
    speech = [one for one in rest if one.kind is not Kind.DENIAL]
    # Of two words about one place the older one is read first, as they were said.
    carried = tuple(reversed(words[:WORDS_IN_PLACE_MAX]))
    return (*grants[:GRANTS_IN_UNIT_MAX], *denials[-DENIALS_IN_UNIT_MAX:], *carried, *speech)


def _sorted_out(found: Iterable[StoredDocument], stock: Stock) -> tuple[list[StoredDocument], list[StoredDocument]]:
    grants: list[StoredDocument] = []
    rest: list[StoredDocument] = []
    for one in found:
        (grants if one.kind is Kind.GRANT else rest).append(one)
    if stock.grants is not None:
        place = {digest: position for position, digest in enumerate(stock.grants)}
        grants = sorted((one for one in grants if one.digest in place), key=lambda one: place[one.digest])
    return grants, rest


def _tell_left_out(unit: UnitPath, left_out: bool) -> None:
    if left_out:
        logger.error("%s has more authorities or words than one parcel carries; some are left out", unit)
