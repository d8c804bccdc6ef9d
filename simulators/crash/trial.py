"""Goes through cuts, lays each out as files and lets a judge start the real thing on them."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Final

from simulators.crash.card import Deed
from simulators.crash.cuts import Cut, Cuts

_FAULTS_MAX: Final = 50
_MEMORY: Final = "/dev/shm"  # noqa: S108 - a directory with a random name is made in it
Judge = Callable[[Path, Cut], list[str]]
"""Starts the real thing in a directory as the cut left it, and says what is wrong."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """A story that was recorded.

    Attributes:
        first: how many deeds were done before it begins.
        may_lie: whether it is meant for cards that lie about flush, too.
    """

    deeds: tuple[Deed, ...]
    judge: Judge
    first: int = 0
    may_lie: bool = True

    def cuts(self, random: Random, *, samples: int) -> Cuts:
        """Its cuts."""
        return Cuts(self.deeds, random, samples=samples, first=self.first)


@dataclass(slots=True)
class Findings:
    """What came of it.

    Attributes:
        cuts: how many were looked at; `different`: how many of them left another card, and were tried.
        faults: what was wrong, each with its cut; bounded.
    """

    cuts: int = 0
    different: int = 0
    faults: list[str] = field(default_factory=list)

    def add(self, others: Findings) -> None:
        """Counts another trial's findings here."""
        self.cuts += others.cuts
        self.different += others.different
        self.faults += others.faults[: _FAULTS_MAX - len(self.faults)]


def go_through(cuts: Iterable[Cut], judge: Judge, *, scratch: Path) -> Findings:
    """Tries each different card once."""
    findings, seen = Findings(), set[bytes]()
    for cut in cuts:
        findings.cuts += 1
        mark = _mark(cut)
        if mark in seen:
            continue
        seen.add(mark)
        findings.different += 1
        if len(findings.faults) < _FAULTS_MAX:
            findings.faults += [f"{one} (cut after {cut.at}, {cut.how})" for one in _judged(cut, judge, scratch)]
    return findings


@contextmanager
def card_place() -> Iterator[Path]:
    """A directory for cards: in memory where there is such a place, since a real disk would only make them slower."""
    memory = _MEMORY if os.access(_MEMORY, os.W_OK) else None
    with tempfile.TemporaryDirectory(prefix="loalang-cuts-", dir=memory) as directory:
        yield Path(directory)


def _judged(cut: Cut, judge: Judge, scratch: Path) -> list[str]:
    card = scratch / "card"
    card.mkdir(parents=True)
    try:
        cut.tree.lay_out(card)
        return judge(card, cut)
    except Exception as error:  # whatever it is, it would have kept a device from starting
        return [f"it does not start: {error!r}"]
    finally:
        shutil.rmtree(card)


def _mark(cut: Cut) -> bytes:
    found = hashlib.sha256(f"{cut.told} {cut.honest} {sorted(cut.tree.directories)}".encode())
    for name, content in cut.tree.files().items():
        found.update(f"\n{name} {len(content)}\n".encode())
        found.update(content)
    return found.digest()
