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
from controller.signing.checks import check_newer, check_room, place_devices, put_in_force
from controller.signing.domain import (
    AT_ONCE,
    DocumentState,
    Urgent,
    joined,
    only_true_signatures,
    targets_of,
)
from controller.signing.judging import Judgement, check_not_denied, judge
from controller.signing.queries import (
    load_document,
    store_document,
)
from controller.store.engine import writing
from protocol.checkpoint import Checkpoint
from protocol.clock import WallMs
from protocol.document import KINDS, Kind, kind_of, read
from protocol.envelope import Envelope, unpack
from protocol.errors import DocumentError, Refusal
from protocol.freshness import Attestation
from protocol.units import UnitPath

logger = logging.getLogger(__name__)

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
        urgent: what goes out before anything else is done.
    """

    digest: str
    kind: str
    outcome: Outcome
    refusal: Refusal | None = None
    detail: str = ""
    scope: UnitPath | None = None
    fresh: bool = False
    at: WallMs = WallMs(0)
    urgent: Urgent | None = None


@dataclass(frozen=True, slots=True)
class _Refused:
    """What was not stored. `envelope` is None when the bytes are none."""

    packed: bytes
    envelope: Envelope | None
    error: DocumentError


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

    async def take_all(self, packed: Sequence[bytes]) -> list[Result]:
        """Takes envelopes in one transaction: an emergency waits for one commit, not for one of each.

        Raises:
            AnchorMissingError: nothing can be verified yet.
        """
        opened = [_open(one) for one in packed]
        if all(isinstance(one, _Refused) for one in opened):
            return [await self._settled(one) for one in opened if isinstance(one, _Refused)]
        try:
            async with writing(self._engine) as connection:
                taken = [await self._take(connection, one) for one in opened]
        except BaseException:
            self._authority.forget_grants()  # a grant of a transaction that failed was never stored
            raise
        return [await self._settled(one) for one in taken]

    async def _take(self, connection: AsyncConnection, opened: Envelope | _Refused) -> Result | _Refused:
        if isinstance(opened, _Refused):
            return opened
        try:
            result = await self._store_whole(connection, opened)
        except DocumentError as error:
            return _Refused(b"", opened, error)
        if result.kind in (Kind.GRANT, Kind.DENIAL) and result.fresh:
            self._authority.forget_grants()
        return result

    async def _store_whole(self, connection: AsyncConnection, envelope: Envelope) -> Result:
        """Stores all of it or nothing, so that the others of this transaction stand.

        What is at once is refused before its first write; a hook may refuse anything else after it.
        """
        if kind_of(envelope) in AT_ONCE:
            return await self._store(connection, envelope)
        async with connection.begin_nested():
            return await self._store(connection, envelope)

    async def _settled(self, taken: Result | _Refused) -> Result:
        if isinstance(taken, Result):
            return taken
        if taken.envelope is None:
            return self._remember(hashlib.sha256(taken.packed).hexdigest(), "envelope", taken.error)
        await self._note_refusal(taken.envelope, taken.error)
        return self._remember(taken.envelope.digest, taken.envelope.kind, taken.error)

    async def _store(self, connection: AsyncConnection, envelope: Envelope) -> Result:
        former = await load_document(connection, envelope.digest)
        now, authority = self._clock(), await self._authority.load(connection)
        if former is not None and former.state is not DocumentState.PARTIAL:
            check_not_denied(former.envelope, authority, now)
            return Result(envelope.digest, former.kind, Outcome.ACCEPTED, scope=former.scope)
        merged = joined(envelope, former.envelope if former else None)
        judgement = judge(merged, authority, now)
        await check_newer(connection, judgement, authority)
        if former is None:
            await check_room(connection, judgement, authority, now)
        kept = only_true_signatures(merged, judgement.signers)
        await store_document(connection, judgement, kept, state=judgement.state, now=now, replace=former is not None)
        if judgement.complete:
            await put_in_force(connection, judgement)
            await place_devices(connection, judgement, now)
        await self._tell_hooks(connection, judgement)
        await _note_stored(connection, judgement, now)
        return _stored_result(judgement, kept)

    async def _tell_hooks(self, connection: AsyncConnection, judgement: Judgement) -> None:
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
    return None if isinstance(document, Attestation | Checkpoint) else document.scope


def _open(packed: bytes) -> Envelope | _Refused:
    try:
        return _unpack(packed)
    except DocumentError as error:
        return _Refused(packed, None, error)


def _unpack(packed: bytes) -> Envelope:
    envelope = unpack(packed)
    bytes_max = KINDS[kind_of(envelope)].bytes_max
    if len(packed) > bytes_max:
        raise DocumentError(Refusal.TOO_LARGE, f"{len(packed)} bytes, at most {bytes_max}")
    return envelope


async def _note_stored(connection: AsyncConnection, judgement: Judgement, now: WallMs) -> None:
    act = "signing.accept" if judgement.complete else "signing.sign_partly"
    subject = f"{judgement.document.scope}#{judgement.digest}"
    detail = f"{judgement.kind} · {judgement.holder}"
    await note(connection, act, at=now, account=None, subject=subject, detail=detail)


def _stored_result(judgement: Judgement, kept: Envelope) -> Result:
    outcome = Outcome.ACCEPTED if judgement.complete else Outcome.PARTIAL
    detail = "" if judgement.complete else f"{len(judgement.signers)} of {judgement.threshold}"
    at_once = judgement.state is DocumentState.IN_FORCE and judgement.kind in AT_ONCE
    return Result(
        judgement.digest,
        judgement.kind,
        outcome,
        detail=detail,
        scope=judgement.document.scope,
        fresh=True,
        urgent=Urgent(judgement.digest, targets_of(judgement.document), kept.pack()) if at_once else None,
    )
