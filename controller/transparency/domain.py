"""What devices say they obey, and whether the log is still what was signed. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from protocol.checkpoint import Checkpoint
from protocol.clock import WallMs
from protocol.document import Kind
from protocol.hash_chain import EMPTY, BrokenChainError, ChainState, LogEntry, follow
from protocol.report import AsRun, Receipt, Standing, Status

_DIGEST = re.compile(r"[0-9a-f]{64}")
_KINDS: Final = frozenset(kind.value for kind in Kind)
_FRESHNESS: Final = frozenset({Kind.HEAD, Kind.ATTESTATION, Kind.CHECKPOINT})
"""Answers and proofs of the moment: they make nothing play, and there are thousands of them."""
_BESIDES_DOCUMENTS: Final = frozenset({"bundle", "parcel", "envelope", "anchor", "root-word", "root"})
"""What devices also tell of: sticks, and the words of the root, which have a record of their own in TUF."""


@dataclass(frozen=True, slots=True)
class Claim:
    """A device's word that it obeys a document.

    Attributes:
        kind: empty when the device did not say, or said something that is no kind.
    """

    device: str
    document: str
    kind: str
    wall: WallMs


def claims(
    receipts: Iterable[Receipt] = (), runs: Iterable[AsRun] = (), statuses: Iterable[Status] = ()
) -> Iterator[Claim]:
    """Every document that reports name as obeyed; the microphone and a local stop have none."""
    for receipt in receipts:
        if receipt.standing is not Standing.REFUSED:
            yield from _claim(receipt.device, receipt.document, receipt.kind, receipt.wall)
    for run in runs:
        yield from _claim(run.device, run.document or "", "", run.began)
    for status in statuses:
        for one in status.in_force:
            yield from _claim(status.device, one.digest, one.kind, status.wall)


def _claim(device: str, document: str, kind: str, wall: WallMs) -> Iterator[Claim]:
    if is_digest(document) and kind not in _FRESHNESS | _BESIDES_DOCUMENTS:
        yield Claim(device, document, kind if kind in _KINDS else "", wall)


def is_digest(text: str) -> bool:
    """Whether it can be the name of a document."""
    return _DIGEST.fullmatch(text) is not None


class Soundness(StrEnum):
    """What a look at the whole log found."""

    SOUND = "sound"
    ALTERED = "altered"
    SHORTER = "shorter"
    ANOTHER = "another"


@dataclass(frozen=True, slots=True)
class Finding:
    """The log as it was seen.

    Attributes:
        state: how far it could be followed.
        index: the first entry that does not fit, for an altered log.
        promised: the number of entries that were signed for.
    """

    soundness: Soundness = Soundness.SOUND
    state: ChainState = EMPTY
    index: int | None = None
    promised: int = 0
    at: WallMs = WallMs(0)

    @property
    def sound(self) -> bool:
        """Whether it is what was signed, and perhaps more."""
        return self.soundness is Soundness.SOUND

    @property
    def whole(self) -> bool:
        """Whether the entries at least form a chain, so that a person may begin again from them."""
        return self.soundness is not Soundness.ALTERED


class Inspection:
    """Follows the log from its first entry, and compares it with what was signed for it."""

    def __init__(self, promised: Checkpoint | None) -> None:
        self._promised = promised
        self._broken: int | None = None
        self._met = promised is None
        self.state = EMPTY

    def take(self, entries: Iterable[LogEntry]) -> bool:
        """The next entries; False when it makes no sense to go on."""
        try:
            for entry in entries:
                self.state = follow(self.state, (entry,))
                if self._promised is not None and self.state.size == self._promised.size:
                    self._met = self.state == self._promised.state
        except BrokenChainError as error:
            self._broken = error.index
        return self._broken is None

    def take_unreadable(self) -> None:
        """A row that is no entry at all."""
        self._broken = self.state.size

    def finding(self, at: WallMs) -> Finding:
        """What was found."""
        promised = self._promised.size if self._promised else 0
        return Finding(self._soundness(promised), self.state, self._broken, promised, at)

    def _soundness(self, promised: int) -> Soundness:
        if self._broken is not None:
            return Soundness.ALTERED
        if self.state.size < promised:
            return Soundness.SHORTER
        return Soundness.SOUND if self._met else Soundness.ANOTHER
