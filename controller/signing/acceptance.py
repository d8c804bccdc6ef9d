"""Takes envelopes in: verified, then stored in one transaction with all that follows; or refused with a reason."""

from __future__ import annotations

import hashlib
import logging
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from controller.audit.log import note
from controller.ports import Clock, EnvelopeHook, StoredEnvelope
from controller.signing.authority import AuthorityFile
from controller.signing.counters import raise_counter
from controller.signing.domain import (
    VERSIONED,
    DocumentState,
    Judgement,
    joined,
    judge,
    only_true_signatures,
    version_of,
)
from controller.signing.queries import (
    count_partial,
    in_force,
    load_document,
    same_grant,
    store_document,
    supersede,
)
from controller.store.engine import writing
from protocol.clock import WallMs
from protocol.document import KINDS, Kind, kind_of, read
from protocol.envelope import Envelope, unpack
from protocol.errors import DocumentError, Refusal
from protocol.freshness import Attestation
from protocol.grants import Grant
from protocol.units import UnitPath

logger = logging.getLogger(__name__)

PARTIAL_MAX: Final = 50
"""Partly signed documents kept for each unit: one signature of two is cheap to make."""

REFUSED_KEPT: Final = 500
_STRANGERS: Final = frozenset(
    {
        Refusal.TOO_LARGE,
        Refusal.MALFORMED_ENVELOPE,
        Refusal.UNKNOWN_TYPE,
        Refusal.UNKNOWN_KEY,
        Refusal.BAD_SIGNATURE,
    }
)


class Outcome(StrEnum):
    """What became of an envelope."""

    ACCEPTED = "accepted"
    PARTIAL = "partial"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Result:
    """The answer for one envelope.

    Attributes:
        scope: the unit that speaks; None when it could not be read.
        fresh: whether something was stored; False for a repeat of what is known.
    """

    digest: str
    kind: str
    outcome: Outcome
    refusal: Refusal | None = None
    detail: str = ""
    scope: UnitPath | None = None
    fresh: bool = False
    at: WallMs = WallMs(0)


class Acceptance:
    """The only door for signed documents."""

    def __init__(
        self, engine: AsyncEngine, clock: Clock, authority: AuthorityFile, *, hooks: Sequence[EnvelopeHook]
    ) -> None:
        self._engine = engine
        self._clock = clock
        self._authority = authority
        self._hooks = hooks
        self.refused: deque[Result] = deque(maxlen=REFUSED_KEPT)

    async def take(self, packed: bytes) -> Result:
        """Takes one envelope.

        Raises:
            AnchorMissingError: nothing can be verified yet.
        """
        try:
            envelope = _unpack(packed)
        except DocumentError as error:
            digest = hashlib.sha256(packed).hexdigest()
            return self._remember(digest, "envelope", error)
        try:
            async with writing(self._engine) as connection:
                result = await self._store(connection, envelope)
        except DocumentError as error:
            await self._note_refusal(envelope, error)
            return self._remember(envelope.digest, envelope.kind, error)
        if result.kind == Kind.GRANT and result.fresh:
            self._authority.forget_grants()
        return result

    async def _store(self, connection: AsyncConnection, envelope: Envelope) -> Result:
        former = await load_document(connection, envelope.digest)
        if former is not None and former.state is not DocumentState.PARTIAL:
            return Result(envelope.digest, former.kind, Outcome.ACCEPTED, scope=former.scope)
        now = self._clock()
        merged = joined(envelope, former.envelope if former else None)
        judgement = judge(merged, await self._authority.load(connection), now)
        await _check_newer(connection, judgement)
        if not judgement.complete and former is None:
            await _check_room(connection, judgement)
        await store_document(
            connection, judgement, only_true_signatures(merged, judgement.signers), state=judgement.state, now=now
        )
        if judgement.complete:
            await _put_in_force(connection, judgement)
        await self._tell_hooks(connection, judgement)
        await _note_stored(connection, judgement, now)
        return _stored_result(judgement)

    async def _tell_hooks(self, connection: AsyncConnection, judgement: Judgement) -> None:
        if isinstance(judgement.document, Grant):
            return
        stored = StoredEnvelope(
            judgement.digest, judgement.kind, judgement.document, judgement.state.value, judgement.signers
        )
        for hook in self._hooks:
            await hook(connection, stored)

    def _remember(self, digest: str, kind: str, error: DocumentError) -> Result:
        logger.warning("refused %s %s: %s", kind[:40], digest[:16], error)
        result = Result(
            digest, kind[:64], Outcome.REFUSED, error.refusal, detail=error.detail[:200], at=self._clock()
        )
        self.refused.append(result)
        return result

    async def _note_refusal(self, envelope: Envelope, error: DocumentError) -> None:
        if error.refusal in _STRANGERS:
            return
        async with writing(self._engine) as connection:
            subject = f"{_scope_of(envelope) or self._authority.anchor().scope}#{envelope.digest}"
            detail = f"{envelope.kind[:40]} {error}"
            await note(connection, "signing.refuse", at=self._clock(), account=None, subject=subject, detail=detail)


def _scope_of(envelope: Envelope) -> UnitPath | None:
    try:
        document = read(envelope)
    except DocumentError:
        return None
    return None if isinstance(document, Attestation) else document.scope


def _unpack(packed: bytes) -> Envelope:
    envelope = unpack(packed)
    bytes_max = KINDS[kind_of(envelope)].bytes_max
    if len(packed) > bytes_max:
        raise DocumentError(Refusal.TOO_LARGE, f"{len(packed)} bytes, at most {bytes_max}")
    return envelope


async def _check_newer(connection: AsyncConnection, judgement: Judgement) -> None:
    document = judgement.document
    if isinstance(document, Grant):
        former = await same_grant(connection, document)
    elif judgement.kind in VERSIONED:
        former = await in_force(connection, document.scope, judgement.kind)
    else:
        return
    version = version_of(document)
    if former is not None and former.version is not None and version is not None and version <= former.version:
        raise DocumentError(Refusal.OLDER_VERSION, f"{version}, have {former.version}")


async def _check_room(connection: AsyncConnection, judgement: Judgement) -> None:
    if await count_partial(connection, judgement.document.scope) >= PARTIAL_MAX:
        raise DocumentError(Refusal.TOO_MANY, "partly signed documents")


async def _put_in_force(connection: AsyncConnection, judgement: Judgement) -> None:
    version = version_of(judgement.document)
    if version is None:
        return
    await supersede(connection, judgement)
    if judgement.kind in VERSIONED:
        await raise_counter(connection, judgement.document.scope, judgement.kind, value=version)


async def _note_stored(connection: AsyncConnection, judgement: Judgement, now: WallMs) -> None:
    act = "signing.accept" if judgement.complete else "signing.sign_partly"
    subject = f"{judgement.document.scope}#{judgement.digest}"
    detail = f"{judgement.kind} · {judgement.holder}"
    await note(connection, act, at=now, account=None, subject=subject, detail=detail)


def _stored_result(judgement: Judgement) -> Result:
    outcome = Outcome.ACCEPTED if judgement.complete else Outcome.PARTIAL
    detail = "" if judgement.complete else f"{len(judgement.signers)} of {judgement.threshold}"
    return Result(
        judgement.digest, judgement.kind, outcome, detail=detail, scope=judgement.document.scope, fresh=True
    )
