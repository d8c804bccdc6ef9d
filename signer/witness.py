"""The signer as a witness: it remembers how far the controller's log had come, and looks if it was only extended.

A controller can sign any story about its log, but only one to everybody who compares. At each look the signer fetches
what is new since the checkpoint it remembers, hashes it again, and asks that everything it handed over, and the
controller accepted, is in there. What it remembers only moves on along the same chain; a checkpoint that does not lie
on it is kept as evidence, because the controller signed both.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from typing import Final

import aiohttp
from aiohttp import web

from protocol import codec
from protocol.checkpoint import Checkpoint, only_extended, read_checkpoint
from protocol.clock import WallMs
from protocol.codec import bounded
from protocol.envelope import Envelope, unpack
from protocol.errors import DocumentError
from protocol.hash_chain import NO_HASH, BrokenChainError, ChainState, LogEntry
from protocol.limits import ALERT_ENVELOPE_BYTES_MAX
from signer.disk import write_durably
from signer.hand_back import Result
from signer.i18n import gettext as _

_logger = logging.getLogger(__name__)
FILE: Final = "witness.json"
EVIDENCE: Final = "evidence"
GRACE_MS: Final = 10 * 60_000
"""The controller signs its log once a minute; by then a document must be under a checkpoint."""
_OWED_MAX: Final = 1000
_AT_ONCE: Final = 1000
_ANSWER_BYTES_MAX: Final = 1024 * 1024
_MEMORY_BYTES_MAX: Final = 512 * 1024
_LOOK_S: Final = 10


class Doubt(StrEnum):
    """What is wrong with the controller's log."""

    REWRITTEN = "rewritten"
    MISSING = "missing"
    STRANGER = "stranger"


@dataclass(frozen=True, slots=True)
class _Owed:
    """Handed over and accepted, and not seen in the log yet."""

    digest: str
    wall: WallMs


@dataclass(frozen=True, slots=True)
class _Memory:
    log: str = NO_HASH
    size: int = 0
    root: str = NO_HASH
    looked: WallMs = WallMs(0)
    doubt: Doubt | None = None
    owed: tuple[_Owed, ...] = field(default=(), metadata=bounded(count_max=_OWED_MAX))
    schema: int = 1

    @property
    def state(self) -> ChainState:
        return ChainState(self.size, self.root, self.log)


@dataclass(frozen=True, slots=True)
class _Answer:
    size: int
    checkpoint: str | None = field(default=None, metadata=bounded(chars_max=ALERT_ENVELOPE_BYTES_MAX))


@dataclass(frozen=True, slots=True)
class _Entries:
    entries: tuple[LogEntry, ...] = field(metadata=bounded(count_max=_AT_ONCE))


@dataclass(frozen=True, slots=True)
class Sight:
    """What a look found.

    Attributes:
        size: entries that were followed so far; `looked` when; 0 for never.
    """

    size: int
    looked: WallMs
    doubt: Doubt | None


class _NoLogError(Exception):
    """The controller answered, but not with its log."""


def _is_late(memory: _Memory, wall: WallMs) -> bool:
    """Whether something was accepted long ago and is still not under a checkpoint."""
    return any(wall - one.wall > GRACE_MS for one in memory.owed)


class Witness:
    """Remembers, and compares."""

    def __init__(self, data: Path, *, controller: str) -> None:
        self._path = data / FILE
        self._evidence = data / EVIDENCE
        self._controller = controller.rstrip("/")
        self._lock = asyncio.Lock()
        self._memory = self._load()

    async def handed_over(self, results: Iterable[Result], wall: WallMs) -> None:
        """The controller said what became of documents; what it accepted must come into its log."""
        async with self._lock:
            known = {one.digest for one in self._memory.owed}
            new = [_Owed(one.digest, wall) for one in results if one.state == "accepted" and one.digest not in known]
            if new:
                await self._keep(replace(self._memory, owed=(*self._memory.owed, *new)[-_OWED_MAX:]))

    async def look(self, session: aiohttp.ClientSession, keys: Sequence[str], wall: WallMs) -> Sight:
        """Compares the log with what is remembered; what was found last stays when the controller is away."""
        async with self._lock:
            there = True
            try:
                async with asyncio.timeout(_LOOK_S):
                    await self._compare(session, keys, wall)
            except _NoLogError as error:
                _logger.warning("the controller shows no log: %s", error)
            except (aiohttp.ClientError, TimeoutError, OSError) as error:
                _logger.info("the controller's log cannot be seen now: %s", error)
                there = False
            memory = self._memory
        missing = Doubt.MISSING if there and _is_late(memory, wall) else None
        return Sight(memory.size, memory.looked, memory.doubt or missing)

    async def _compare(self, session: aiohttp.ClientSession, keys: Sequence[str], wall: WallMs) -> None:
        envelope = await self._fetch_checkpoint(session)
        if envelope is None:
            return
        try:
            checkpoint = read_checkpoint(envelope, keys)
        except DocumentError as error:
            await self._doubt(Doubt.STRANGER, envelope, str(error))
            return
        try:
            entries = await self._fetch_entries(session, checkpoint)
            only_extended(self._memory.state, checkpoint, entries)
        except (BrokenChainError, DocumentError) as error:
            await self._doubt(Doubt.REWRITTEN, envelope, str(error))
            return
        await self._believe(checkpoint, entries, wall)

    async def _believe(self, checkpoint: Checkpoint, entries: Sequence[LogEntry], wall: WallMs) -> None:
        seen = {one.digest for one in entries}
        owed = tuple(one for one in self._memory.owed if one.digest not in seen)
        memory = _Memory(checkpoint.log, checkpoint.size, checkpoint.root, wall, owed=owed)
        if replace(memory, looked=self._memory.looked) == self._memory:
            self._memory = memory
        else:
            await self._keep(memory)

    async def _doubt(self, doubt: Doubt, envelope: Envelope, why: str) -> None:
        _logger.error("the controller's log is in doubt: %s", why)
        if doubt is Doubt.REWRITTEN:  # only what the controller signed is evidence
            path = self._evidence / f"checkpoint-{envelope.digest[:16]}.json"
            await asyncio.to_thread(write_durably, path, envelope.pack())
        await self._keep(replace(self._memory, doubt=doubt))

    async def _fetch_checkpoint(self, session: aiohttp.ClientSession) -> Envelope | None:
        """None when the controller keeps no log yet, or has not signed for it."""
        data = await self._get(session, "/api/v1/log/checkpoint")
        try:
            text = codec.decode(_Answer, data, bytes_max=_ANSWER_BYTES_MAX).checkpoint
            return unpack(text.encode()) if text is not None else None
        except DocumentError as error:
            raise _NoLogError(str(error)) from error

    async def _fetch_entries(self, session: aiohttp.ClientSession, checkpoint: Checkpoint) -> list[LogEntry]:
        first = self._memory.size
        found: list[LogEntry] = []
        while first < checkpoint.size:
            limit = min(_AT_ONCE, checkpoint.size - first)
            data = await self._get(session, f"/api/v1/log?from={first}&limit={limit}")
            entries = codec.decode(_Entries, data, bytes_max=_ANSWER_BYTES_MAX).entries
            if not entries:
                break
            found += entries
            first += len(entries)
        return found

    async def _get(self, session: aiohttp.ClientSession, path: str) -> bytes:
        async with session.get(self._controller + path, allow_redirects=False) as answer:
            if answer.status != 200:
                raise _NoLogError(f"status {answer.status}")
            data = bytearray()
            async for chunk in answer.content.iter_chunked(64 * 1024):
                data += chunk
                if len(data) > _ANSWER_BYTES_MAX:
                    raise _NoLogError("a log that never ends")
            return bytes(data)

    async def _keep(self, memory: _Memory) -> None:
        await asyncio.to_thread(write_durably, self._path, codec.encode(memory))
        self._memory = memory

    def _load(self) -> _Memory:
        try:
            return codec.decode(_Memory, self._path.read_bytes(), bytes_max=_MEMORY_BYTES_MAX)
        except FileNotFoundError:
            return _Memory()
        except DocumentError as error:
            _logger.error("what was remembered of the controller's log is damaged and set aside: %s", error)
            self._path.replace(self._path.with_suffix(".damaged"))
            return _Memory()


WITNESS: Final[web.AppKey[Witness]] = web.AppKey("witness", Witness)


def words_of(sight: Sight) -> str:
    """The warning for the home page; empty when all is well."""
    return _warnings()[sight.doubt] if sight.doubt else ""


def _warnings() -> dict[Doubt, str]:
    return {
        Doubt.REWRITTEN: _(
            "The controller's log is not the one this signer remembers: entries were changed or taken away. Either "
            "the controller was put back from an older backup, or somebody hides what was distributed. Call the "
            "technician of the province before you sign anything."
        ),
        Doubt.MISSING: _(
            "The controller accepted a document that was signed here, but does not show it in its log. Call the "
            "technician of the province before you sign anything."
        ),
        Doubt.STRANGER: _(
            "The controller's log is signed with a key that this signer does not know. Either the anchor file here "
            "is old, or somebody else pretends to be the controller. Call the technician of the province before you "
            "sign anything."
        ),
    }
