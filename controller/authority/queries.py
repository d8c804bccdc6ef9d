"""Every grant, denial and assignment that pages and signers are shown."""

from __future__ import annotations

import logging

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from controller.signing.authority import AuthorityFile
from controller.signing.domain import DocumentState
from controller.signing.judging import Authority, living
from controller.signing.outgoing import documents_named
from controller.signing.queries import StoredDocument, denials_in_force, stored_document
from controller.store.schema import documents
from protocol.clock import WallMs
from protocol.document import Kind
from protocol.envelope import unpack
from protocol.grants import accept_all

logger = logging.getLogger(__name__)

ENVELOPES_TOLD_MAX = 4096
"""As many as a signer takes in one answer."""


async def whole_authority(connection: AsyncConnection, file: AuthorityFile) -> Authority:
    """All grants, also those that have ended, each verified again.

    Raises:
        AnchorMissingError: nothing can be verified yet.
    """
    known = await file.load(connection)
    query = select(documents.c.envelope).where(
        documents.c.kind == Kind.GRANT.value, documents.c.state == DocumentState.ENDED.value
    )
    ended = [unpack(one) for one in await connection.scalars(query.order_by(documents.c.stored_ms))]
    held, _ = accept_all(ended, known.anchor, known.grants) if ended else (dict(known.grants), [])
    return Authority(known.anchor, held, known.denied)


async def envelopes_in_force(
    connection: AsyncConnection, file: AuthorityFile, now: WallMs
) -> tuple[StoredDocument, ...]:
    """Grants that still matter, parents first, then denials, then the words on places."""
    digests = tuple(living(await file.load(connection), now))
    grants = {one.digest: one for one in await documents_named(connection, digests)}
    denials = tuple(one for one, _ in await denials_in_force(connection))
    query = select(documents).where(
        documents.c.kind == Kind.ASSIGNMENT.value, documents.c.state == DocumentState.IN_FORCE.value
    )
    rows = await connection.execute(query.order_by(documents.c.issued_ms, documents.c.digest))
    words = tuple(stored_document(row) for row in rows)
    found = (*(grants[one] for one in digests if one in grants), *denials, *words)
    if len(found) > ENVELOPES_TOLD_MAX:
        logger.error("%d envelopes of authority; signers are told of the first %d", len(found), ENVELOPES_TOLD_MAX)
    return found[:ENVELOPES_TOLD_MAX]
