"""What the controller needs from outside, as interfaces."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from sqlalchemy.ext.asyncio import AsyncConnection

from protocol.clock import WallMs
from protocol.document import Kind, OperatorDocument
from protocol.grants import Grant

Clock = Callable[[], WallMs]
"""The present. Tests hand in their own."""


class BrokerAwayError(Exception):
    """The broker cannot be reached now; what should be published stays stored and goes out later."""


class Publisher(Protocol):
    """Publishes to devices over the broker."""

    @property
    def connected(self) -> bool:
        """Whether the broker is there now."""

    async def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> None:
        """Returns when the broker has taken the message (QoS 1).

        Raises:
            BrokerAwayError: the broker is not there.
        """

    def when_connected(self, told: Callable[[], Awaitable[None]]) -> None:
        """Registers what is called each time the broker is there (again): it may have forgotten what it kept."""


@dataclass(frozen=True, slots=True)
class StoredEnvelope:
    """A signed document that was verified and stored.

    Attributes:
        document: what was signed; grants, denials and assignments are told too, because they decide who may speak.
        state: `partial` below the threshold, `prepared` for a cancel that waits for its button, else `in_force`.
        signers: public keys whose signatures hold.
    """

    digest: str
    kind: Kind
    document: OperatorDocument | Grant
    state: str
    signers: frozenset[str]


EnvelopeHook = Callable[[AsyncConnection, StoredEnvelope], Awaitable[None]]
"""Told inside the transaction that stores the envelope, so a capability keeps its own rows in step."""


class MediaStorage(Protocol):
    """Sound by its digest, on disk."""

    def path(self, digest: str) -> Path:
        """Where the bytes lie, or would lie."""

    def holds(self, digest: str) -> bool:
        """Whether the bytes are there, whole."""

    def free_bytes(self) -> int:
        """Space that is left."""

    async def keep(self, chunks: AsyncIterator[bytes]) -> tuple[str, int]:
        """Stores bytes durably; gives their digest and size. Raises OSError when the disk is full."""
