"""The log of what was distributed: a chain in which each entry names the one before, so none behind can be changed.

The rules, for whoever checks it with other tools:

- Entries are numbered from 0 without a gap. `previous` of the first is 64 zeros.
- `hash` is the SHA-256, in hexadecimal, of the text `loalang-log-v1`, `index`, `digest`, `kind`, `scope`, `stored`,
  `previous`, each followed by a line feed.
- The state of a log is its size and the hash of its newest entry; its name is the hash of its first entry.
- A log was only extended if its entries, hashed again from a former state, lead to the present one.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from protocol.clock import WallMs
from protocol.codec import bounded
from protocol.errors import ProtocolError
from protocol.units import UnitPath, unit_path

NO_HASH: Final = "0" * 64
_HASH = re.compile(r"[0-9a-f]{64}")
_KIND = re.compile(r"[a-z][a-z-]{0,39}")


class BrokenChainError(ProtocolError):
    """Entries do not continue the chain.

    Attributes:
        index: the first entry that does not fit.
    """

    def __init__(self, index: int, why: str) -> None:
        super().__init__(f"entry {index}: {why}")
        self.index = index


@dataclass(frozen=True, slots=True)
class LogEntry:
    """One document that was stored as complete, and so distributed.

    Attributes:
        digest: the document's digest.
        kind: name of its kind; any name, because a newer log is still checked by an older tool.
        stored: when the controller stored it.
        previous: hash of the entry before.
    """

    index: int
    digest: str
    kind: str
    scope: UnitPath
    stored: WallMs
    previous: str
    hash: str = field(metadata=bounded(chars_max=64))

    def __post_init__(self) -> None:
        unit_path(self.scope)
        if not _KIND.fullmatch(self.kind):
            raise ValueError("a kind is a name of small letters")
        for one in (self.digest, self.previous, self.hash):
            check_hash(one)


def check_hash(text: str) -> None:
    """Raises ValueError unless it is 64 lower-case hexadecimal digits."""
    if not _HASH.fullmatch(text):
        raise ValueError("a hash is 64 lower-case hexadecimal digits")


@dataclass(frozen=True, slots=True)
class ChainState:
    """How far a log has come: the number of its entries, the hash of the newest, and the name of the log."""

    size: int = 0
    root: str = NO_HASH
    log: str = NO_HASH


EMPTY: Final = ChainState()


def entry_hash(*, index: int, digest: str, kind: str, scope: str, stored: int, previous: str) -> str:
    """The hash that an entry must carry."""
    lines = ("loalang-log-v1", index, digest, kind, scope, stored, previous)
    return hashlib.sha256("".join(f"{line}\n" for line in lines).encode()).hexdigest()


def next_entry(state: ChainState, *, digest: str, kind: str, scope: UnitPath, stored: WallMs) -> LogEntry:
    """The entry that continues a log."""
    made = entry_hash(index=state.size, digest=digest, kind=kind, scope=scope, stored=stored, previous=state.root)
    return LogEntry(state.size, digest, kind, scope, stored, state.root, made)


def follow(state: ChainState, entries: Iterable[LogEntry]) -> ChainState:
    """Hashes entries again, from a state that is believed to the one they lead to.

    Raises:
        BrokenChainError: an entry is missing, altered, or belongs to another log.
    """
    for entry in entries:
        state = _step(state, entry)
    return state


def _step(state: ChainState, entry: LogEntry) -> ChainState:
    if entry.index != state.size:
        raise BrokenChainError(state.size, f"is missing; {entry.index} came instead")
    if entry.previous != state.root:
        raise BrokenChainError(entry.index, "does not continue the entry before it")
    made = entry_hash(
        index=entry.index,
        digest=entry.digest,
        kind=entry.kind,
        scope=entry.scope,
        stored=entry.stored,
        previous=entry.previous,
    )
    if made != entry.hash:
        raise BrokenChainError(entry.index, "was altered")
    return ChainState(entry.index + 1, entry.hash, entry.hash if entry.index == 0 else state.log)
