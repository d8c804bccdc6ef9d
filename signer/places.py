"""The signer's own list of places: names, loudspeakers and people, so the controller cannot rename a target."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from protocol.codec import build
from protocol.errors import DocumentError
from protocol.units import UnitPath, covers, parent, unit_path

_logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Place:
    """A unit as people know it; numbers are those of the whole unit, everything below included."""

    name: str
    loudspeakers: int = 0
    people: int = 0


@dataclass(frozen=True, slots=True)
class NamedTarget:
    """A target as shown: `known` is false when the list does not name it and only its path can be shown."""

    path: UnitPath
    name: str
    within: str
    loudspeakers: int
    people: int
    known: bool


@dataclass(frozen=True, slots=True)
class Reach:
    """Where something sounds. What is addressed twice counts once; `unknown` places are not in the numbers."""

    targets: tuple[NamedTarget, ...]
    loudspeakers: int
    people: int
    unknown: int


class Places:
    """The list."""

    def __init__(self, places: Mapping[UnitPath, Place]) -> None:
        self._places = dict(places)

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
            sum(one.loudspeakers for one in named),
            sum(one.people for one in named),
            sum(not one.known for one in named),
        )

    def _target(self, path: UnitPath) -> NamedTarget:
        place, above = self._places.get(path), parent(path)
        within = self._places[above].name if above in self._places else ""
        if place is None:
            return NamedTarget(path, path, within, 0, 0, False)
        return NamedTarget(path, place.name, within, place.loudspeakers, place.people, True)


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
