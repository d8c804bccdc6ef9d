"""A device that is enrolled after a word about it was signed: the word is there already, and now it is obeyed.

Only a word that the device itself would obey at the place where it was enrolled: its authority stands, and it reaches
that place. The newest such word counts.
"""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncConnection

from controller.devices.queries import Enrolled
from controller.devices.words import Placed, apply_word, words_about
from controller.signing.authority import AnchorMissingError, AuthorityFile
from controller.signing.judging import Authority, judge
from controller.store.schema import documents
from protocol.assignment import Assignment
from protocol.clock import WallMs
from protocol.envelope import Envelope
from protocol.errors import DocumentError
from protocol.units import covers


async def place_newcomer(
    connection: AsyncConnection, device: Enrolled, *, file: AuthorityFile, now: WallMs
) -> Placed | None:
    """Puts a device where the newest word about it says, and has that word sent; None when there is none.

    Raises:
        DocumentError: another device is at that place.
    """
    said = await words_about(connection, device.id)
    if not said:
        return None
    try:
        authority = await file.load(connection)
    except AnchorMissingError:
        return None  # nothing can be verified; the place waits for its signature as every new one does
    for envelope, word in said:
        if _would_be_obeyed(envelope, word, device, authority=authority, now=now):
            return await _apply(connection, word, device.id, digest=envelope.digest)
    return None


def _would_be_obeyed(
    envelope: Envelope, word: Assignment, device: Enrolled, *, authority: Authority, now: WallMs
) -> bool:
    try:
        complete = judge(envelope, authority, now).complete
    except DocumentError:
        return False
    return complete and covers(word.scope, device.place)


async def _apply(connection: AsyncConnection, word: Assignment, device: str, *, digest: str) -> Placed | None:
    about = tuple(one for one in word.placements if one.device == device)
    placed = await apply_word(connection, replace(word, placements=about), digest=digest)
    # It was put aside as sent when it concerned nobody here.
    await connection.execute(update(documents).where(documents.c.digest == digest).values(published_ms=None))
    return next(iter(placed), None)
