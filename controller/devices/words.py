"""What signed words on places change in the table of devices: where each belongs, and where it comes from.

A device that was moved is told so at both places until its own status names the new one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Row, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from controller.devices.queries import RETIRED
from controller.store.schema import devices, documents
from controller.store.scope import within
from protocol.assignment import Assignment, Placement
from protocol.document import Kind, read
from protocol.envelope import Envelope, unpack
from protocol.errors import DocumentError, Refusal
from protocol.limits import UNIT_SEGMENT_CHARS_MAX
from protocol.units import UnitPath, covers

_AT_ONCE: Final = 500
"""SQLite bounds the variables of a statement."""


@dataclass(frozen=True, slots=True)
class Placed:
    """A device that belongs somewhere else since a word was accepted.

    Attributes:
        former: where it really is until it follows; None when it is there.
    """

    device: str
    place: UnitPath
    former: UnitPath | None


def retired_place(device: str) -> UnitPath:
    """Where a device out of service is kept."""
    fits = len(device) <= UNIT_SEGMENT_CHARS_MAX
    leaf = device if fits else hashlib.sha256(device.encode()).hexdigest()[:UNIT_SEGMENT_CHARS_MAX]
    return UnitPath(f"{RETIRED}/{leaf}")


async def apply_word(connection: AsyncConnection, word: Assignment, *, digest: str) -> tuple[Placed, ...]:
    """Puts devices where a word says; gives those that are known here.

    Raises:
        DocumentError: OLDER_VERSION when newer words are known about all of them; OUT_OF_SCOPE when the word does not
            reach one of them where it stands, so that it would be refused there; MALFORMED_DOCUMENT when a place
            belongs to another device.
    """
    known = await _rows(connection, [one.device for one in word.placements])
    named = [one for one in word.placements if one.device in known]
    fresh = [one for one in named if (known[one.device].word_ms or -1) < word.issued]
    if named and not fresh:
        raise DocumentError(Refusal.OLDER_VERSION, "there are newer words about these loudspeakers")
    _check_reach(word, [known[one.device] for one in fresh])
    placed = tuple(_placed(one, known[one.device]) for one in fresh)
    await _check_free(connection, placed)
    await _write(connection, placed, digest=digest, issued=word.issued)
    return placed


async def _rows(connection: AsyncConnection, names: list[str]) -> dict[str, Row[Any]]:
    found: dict[str, Row[Any]] = {}
    for begin in range(0, len(names), _AT_ONCE):
        query = select(devices).where(devices.c.id.in_(names[begin : begin + _AT_ONCE]))
        found |= {row.id: row for row in await connection.execute(query)}
    return found


def _placed(placement: Placement, row: Row[Any]) -> Placed:
    really = row.former_place or row.place
    place = placement.place or retired_place(placement.device)
    return Placed(placement.device, place, None if really == place else UnitPath(really))


def _check_reach(word: Assignment, rows: Iterable[Row[Any]]) -> None:
    for row in rows:
        stands = UnitPath(row.former_place or row.place)
        if not covers(word.scope, stands) and not covers(RETIRED, stands):
            raise DocumentError(Refusal.OUT_OF_SCOPE, f"{word.scope} does not reach {stands}"[:200])


async def _check_free(connection: AsyncConnection, placed: tuple[Placed, ...]) -> None:
    named = {one.device for one in placed}
    places = [one.place for one in placed]
    if len(set(places)) != len(places):
        raise DocumentError(Refusal.MALFORMED_DOCUMENT, "two loudspeakers at one place")
    for begin in range(0, len(places), _AT_ONCE):
        query = select(devices.c.id, devices.c.place).where(devices.c.place.in_(places[begin : begin + _AT_ONCE]))
        for row in await connection.execute(query):
            if row.id not in named:
                raise DocumentError(Refusal.MALFORMED_DOCUMENT, f"{row.place} belongs to {row.id}")


async def _write(connection: AsyncConnection, placed: tuple[Placed, ...], *, digest: str, issued: int) -> None:
    for number, one in enumerate(placed):  # two may change places: for a moment neither is anywhere
        away = update(devices).where(devices.c.id == one.device, devices.c.place != one.place)
        await connection.execute(away.values(place=f"{RETIRED}/moving/{number}"))
    for one in placed:
        values = {"place": one.place, "former_place": one.former, "word": digest, "word_ms": issued}
        await connection.execute(update(devices).where(devices.c.id == one.device).values(**values))


async def forgotten_words(connection: AsyncConnection) -> tuple[str, ...]:
    """Assignments in force of whose devices something newer is known; one that names a stranger waits for it."""
    used = select(devices.c.word).where(devices.c.word.is_not(None))
    query = select(documents.c.digest, documents.c.envelope).where(
        documents.c.kind == Kind.ASSIGNMENT.value,
        documents.c.state == "in_force",
        documents.c.digest.not_in(used),
    )
    gone = []
    for row in (await connection.execute(query)).all():
        word = read(unpack(row.envelope))
        names = [one.device for one in word.placements] if isinstance(word, Assignment) else []
        if names and len(await _rows(connection, names)) == len(names):
            gone.append(row.digest)
    return tuple(gone)


async def words_about(connection: AsyncConnection, device: str) -> tuple[tuple[Envelope, Assignment], ...]:
    """Words in force that name a device, newest first; also those that were said before anybody knew it here."""
    query = select(documents.c.envelope).where(
        documents.c.kind == Kind.ASSIGNMENT.value, documents.c.state == "in_force"
    )
    rows = await connection.scalars(query.order_by(documents.c.issued_ms.desc(), documents.c.digest))
    read_as = [(envelope, read(envelope)) for envelope in map(unpack, rows)]
    return tuple((one, word) for one, word in read_as if isinstance(word, Assignment) and word.of(device) is not None)


async def words_by_place(connection: AsyncConnection) -> dict[UnitPath, tuple[str, ...]]:
    """Which words the parcel of a device's own place carries, newest first: of who belongs there, or did."""
    columns = (devices.c.place, devices.c.former_place, devices.c.word)
    query = select(*columns).where(devices.c.word.is_not(None)).order_by(devices.c.word_ms.desc(), devices.c.id)
    found: dict[UnitPath, tuple[str, ...]] = {}
    for row in await connection.execute(query):
        for place in (row.place, row.former_place):
            if place is not None and row.word not in found.get(place, ()):
                found[UnitPath(place)] = (*found.get(place, ()), row.word)
    return found


async def arrived(connection: AsyncConnection, device: str, place: UnitPath) -> UnitPath | None:
    """The device says that it follows its word; gives the place that it left, or None when that was known."""
    same = (devices.c.id == device, devices.c.place == place, devices.c.former_place.is_not(None))
    former = await connection.scalar(select(devices.c.former_place).where(*same))
    if former is None:
        return None
    await connection.execute(update(devices).where(*same).values(former_place=None))
    return UnitPath(former)


async def on_the_way(connection: AsyncConnection) -> dict[str, UnitPath]:
    """Devices that have not said yet that they follow their word, and where they should be."""
    query = select(devices.c.id, devices.c.place).where(devices.c.former_place.is_not(None))
    return {row.id: UnitPath(row.place) for row in await connection.execute(query)}


async def count_within(connection: AsyncConnection, unit: UnitPath) -> int:
    """How many devices belong to a unit or to one below it."""
    query = select(func.count()).where(within(devices.c.place, (unit,)))
    return (await connection.execute(query)).scalar_one()
