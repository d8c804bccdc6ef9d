"""A signed word of the controller on how far its log has come.

It proves nothing alone. Two of them that do not lie on one chain prove that the log was rewritten, and are evidence,
because both are signed.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from protocol import codec
from protocol.clock import WallMs
from protocol.codec import bounded
from protocol.envelope import Envelope, payload_type
from protocol.errors import DocumentError, Refusal
from protocol.hash_chain import BrokenChainError, ChainState, LogEntry, check_hash, follow
from protocol.limits import ALERT_ENVELOPE_BYTES_MAX


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The state of a log at a time, signed by a freshness key of the anchor.

    Attributes:
        log: hash of the log's first entry: its name.
        size: number of entries.
        root: hash of the newest entry.
    """

    log: str
    size: int = field(metadata=bounded(low=1))
    root: str
    issued: WallMs

    def __post_init__(self) -> None:
        check_hash(self.log)
        check_hash(self.root)
        if self.size == 1 and self.root != self.log:
            raise ValueError("a log of one entry is named by it")

    @property
    def state(self) -> ChainState:
        """What it says of the log."""
        return ChainState(self.size, self.root, self.log)


def only_extended(former: ChainState, checkpoint: Checkpoint, entries: Iterable[LogEntry]) -> None:
    """Checks that the entries lead from a former state to the checkpoint.

    Args:
        former: a state that was verified before; the empty one at the first time.
        entries: those from `former.size` up to `checkpoint.size`.

    Raises:
        BrokenChainError: the log was rewritten, shortened, or is another one.
    """
    if former.size and checkpoint.log != former.log:
        raise BrokenChainError(0, "belongs to another log")
    if checkpoint.size < former.size:
        raise BrokenChainError(checkpoint.size, "is missing; the log became shorter")
    reached = follow(former, entries)
    if reached != checkpoint.state:
        raise BrokenChainError(reached.size, "is not what the checkpoint says")


def read_checkpoint(envelope: Envelope, freshness_keys: Iterable[str]) -> Checkpoint:
    """The checkpoint in an envelope, when a freshness key of the anchor signed it.

    Raises:
        DocumentError: it is none, or nobody we know signed it.
    """
    if envelope.payload_type != payload_type("checkpoint"):
        raise DocumentError(Refusal.UNKNOWN_TYPE, envelope.payload_type)
    if not envelope.signers(freshness_keys):
        raise DocumentError(Refusal.UNKNOWN_KEY, "no freshness key of the anchor signed it")
    return codec.decode(Checkpoint, envelope.payload, bytes_max=ALERT_ENVELOPE_BYTES_MAX)
