"""The signer's own list of places: names and people, so the controller cannot rename a target.

Loudspeakers are counted by signed assignments (`signer.loudspeakers`); the number in the list is not used.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from protocol.assignment import Assignment
from protocol.codec import build
from protocol.errors import DocumentError
from protocol.units import UnitPath, covers, parent, unit_path
from signer import wording
from signer.loudspeakers import Loudspeakers

_logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Place:
    """A unit as people know it; numbers are those of the whole unit, everything below included."""

    name: str
    loudspeakers: int = 0
    people: int = 0


@dataclass(frozen=True, slots=True)
class NamedTarget:
    """A target as shown.

    Attributes:
        loudspeakers: None when no assignment this signer holds names a place there.
        known: False when the list does not name it and only its path can be shown.
    """

    path: UnitPath
    name: str
    within: str
    loudspeakers: int | None
    people: int
    known: bool


@dataclass(frozen=True, slots=True)
class Reach:
    """Where something sounds. What is addressed twice counts once.

    Attributes:
        unknown: places the list does not name; their people are not counted.
        uncounted: places whose loudspeakers are unknown; they are not in the number.
        newest: date of the newest word about loudspeakers, in words; empty when there is none.
    """

    targets: tuple[NamedTarget, ...]
    loudspeakers: int
    people: int
    unknown: int
    uncounted: int = 0
    newest: str = ""


class Places:
    """The list."""

    def __init__(self, places: Mapping[UnitPath, Place], loudspeakers: Loudspeakers | None = None) -> None:
        self._places = dict(places)
        self._loudspeakers = loudspeakers or Loudspeakers()

    def counted_by(self, assignments: Iterable[Assignment]) -> Places:
        """The same places with the loudspeakers of these words."""
        return Places(self._places, Loudspeakers(assignments))

    @property
    def loudspeakers(self) -> Loudspeakers:
        """Where each loudspeaker belongs."""
        return self._loudspeakers

    def name(self, path: UnitPath) -> str:
        """The name, or the path when there is none."""
        place = self._places.get(path)
        return place.name if place else path

    def reach(self, targets: Iterable[UnitPath]) -> Reach:
        """The places that targets address, widest kept when one lies within another."""
        wanted = sorted(set(targets), key=lambda path: (path.count("/"), path))
        kept: list[UnitPath] = []
        for path in wanted:
            if not any(covers(wider, path) for wider in kept):
                kept.append(path)
        named = tuple(self._target(path) for path in kept)
        return Reach(
            named,
            len(self._loudspeakers.within(kept)),
            sum(one.people for one in named),
            sum(not one.known for one in named),
            sum(one.loudspeakers is None for one in named),
            wording.day_of(self._loudspeakers.newest) if self._loudspeakers.newest else "",
        )

    def _target(self, path: UnitPath) -> NamedTarget:
        place, above = self._places.get(path), parent(path)
        within = self._places[above].name if above in self._places else ""
        count = len(self._loudspeakers.within([path])) if self._loudspeakers.told(path) else None
        if place is None:
            return NamedTarget(path, path, within, count, 0, False)
        return NamedTarget(path, place.name, within, count, place.people, True)


def read_places(data: Mapping[str, Any]) -> dict[UnitPath, Place]:
    """Checks a mapping from unit path to name, loudspeakers and people.

    Raises:
        ValueError, DocumentError: it is none.
    """
    return {unit_path(path): build(Place, value, path) for path, value in data.items()}


def load_places(data: Path) -> Places:
    """Reads `places.json`; without it every place is shown by its path and marked."""
    path = data / "places.json"
    try:
        return Places(read_places(json.loads(path.read_bytes())))
    except FileNotFoundError:
        return Places({})
    except (OSError, ValueError, RecursionError, AttributeError, DocumentError) as error:
        _logger.warning("places.json is not readable: %s", error)
        return Places({})
