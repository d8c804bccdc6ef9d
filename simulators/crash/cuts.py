"""Every card that a power cut could have left behind, for a record of what was done to it.

A cut comes after any deed. Of what was not synced by then, names stand in their order up to some point (a journaling
file system keeps them in order), and of the data any sectors. A card that lies about flush forgets synced deeds too:
either all after some point, or any of them.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from random import Random
from typing import Final

from simulators.crash.card import Data, Deed, DirectorySynced, Naming, Synced, Told, Tree, certain, pieces

EXHAUSTIVE_MAX: Final = 5
"""Of so many loose sectors, all combinations are tried."""
_PAGE_BYTES: Final = 4096


@dataclass(frozen=True, slots=True)
class Cut:
    """A card after a power cut.

    Attributes:
        at: how many deeds had been done.
        told: the last step that the program was told is safe.
        honest: whether the card kept what it had acknowledged.
        how: in a few words.
    """

    at: int
    told: int
    honest: bool
    how: str
    tree: Tree


Piece = tuple[int, int, Data | Naming]
"""Index of the deed, number of the piece within it, and what it does."""


class Cuts:
    """Cuts of one record.

    Args:
        samples: random choices at each place, beside those that are always tried.
        first: so many deeds were done long before, and are on the card whatever it says.
    """

    def __init__(self, deeds: Sequence[Deed], random: Random, *, samples: int, first: int = 0) -> None:
        self._deeds, self._random, self._samples, self._first = tuple(deeds), random, samples, first
        self._told = [0, *itertools.accumulate((_told(one) for one in deeds), max)]

    def honest(self) -> Iterator[Cut]:
        """A cut after each deed, on a card that keeps what it acknowledged."""
        for at in range(self._first, len(self._deeds) + 1):
            yield from self._loose(at, believed=at, honest=True)

    def lying(self) -> Iterator[Cut]:
        """A cut after each deed, on a card that forgets what came after an earlier point, in order or not."""
        for at in range(self._first, len(self._deeds) + 1):
            for since in self._points(at):
                yield self._cut(at, self._applied(range(since)), honest=False, how=f"all since {since} is lost")
                yield from self._loose(at, believed=since, honest=False)

    def _points(self, at: int) -> list[int]:
        """A few places before a cut, of which one is close: a card's own memory is small."""
        near = max(self._first, at - 1 - self._random.randrange(12))
        return sorted({near, *(self._random.randrange(self._first, at + 1) for _ in range(self._samples))})

    def _loose(self, at: int, *, believed: int, honest: bool) -> Iterator[Cut]:
        sure = certain(self._deeds[:at], believed=believed)
        firm = self._applied(sure)
        data, naming = self._open(at, sure)
        for how, kept_data, kept_names in self._choices(data, naming):
            yield self._cut(at, [*firm, *kept_data, *kept_names], honest=honest, how=how)

    def _open(self, at: int, sure: frozenset[int]) -> tuple[list[Piece], list[Piece]]:
        data: list[Piece] = []
        naming: list[Piece] = []
        size = self._random.choice((512, _PAGE_BYTES))
        for index in range(at):
            deed = self._deeds[index]
            if index in sure or isinstance(deed, Synced | DirectorySynced | Told):
                continue
            if isinstance(deed, Data):
                data += [(index, number, one) for number, one in enumerate(pieces(deed, sector_bytes=size))]
            else:
                naming.append((index, 0, deed))
        return data, naming

    def _choices(
        self, data: list[Piece], naming: list[Piece]
    ) -> Iterator[tuple[str, Sequence[Piece], Sequence[Piece]]]:
        yield "all of it came", data, naming
        yield "nothing unsynced came", (), ()
        yield "names without data", (), naming
        yield "data without names", data, ()
        if len(data) <= EXHAUSTIVE_MAX:
            for chosen in itertools.product((False, True), repeat=len(data)):
                yield "some sectors", list(itertools.compress(data, chosen)), naming
        for _ in range(self._samples):
            names = naming[: self._random.randrange(len(naming) + 1)]
            yield "torn off", data[: self._random.randrange(len(data) + 1)], names
            share = self._random.random()
            yield "any sectors", [one for one in data if self._random.random() < share], names

    def _applied(self, indices: Iterator[int] | range | frozenset[int]) -> list[Piece]:
        found: list[Piece] = []
        for index in indices:
            deed = self._deeds[index]
            if not isinstance(deed, Synced | DirectorySynced | Told):
                found.append((index, 0, deed))
        return found

    def _cut(self, at: int, kept: Sequence[Piece], *, honest: bool, how: str) -> Cut:
        tree = Tree()
        for _, _, deed in sorted(kept, key=_place):
            tree.apply(deed)
        return Cut(at, self._told[at], honest, how, tree)


def _place(piece: Piece) -> tuple[int, int]:
    return piece[0], piece[1]


def _told(deed: Deed) -> int:
    return deed.number if isinstance(deed, Told) else 0
