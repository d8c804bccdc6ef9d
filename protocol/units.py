"""Places in the organisation tree, as paths.

A path is one to eight segments joined by `/`, widest first: `vn/92/31498/c07`. No level has a meaning in code:
the tree changes with the law. The last segment of a device's own path is the device, so one loudspeaker is
addressed in the same way as a province. Paths are compared segment by segment, never as string prefixes:
`vn/9` does not cover `vn/92`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NewType

from protocol.limits import UNIT_DEPTH_MAX, UNIT_SEGMENT_CHARS_MAX

UnitPath = NewType("UnitPath", str)

_SEGMENT = re.compile(f"[a-z0-9-]{{1,{UNIT_SEGMENT_CHARS_MAX}}}")


def unit_path(text: str) -> UnitPath:
    """Checks a path that came from outside.

    Raises:
        ValueError: it is empty, too deep, or has a segment outside `[a-z0-9-]`.
    """
    segments = text.split("/", UNIT_DEPTH_MAX)
    if len(segments) > UNIT_DEPTH_MAX:
        raise ValueError(f"a unit path has at most {UNIT_DEPTH_MAX} segments")
    for segment in segments:
        if not _SEGMENT.fullmatch(segment):
            raise ValueError(f"not a segment of a unit path: {segment[:UNIT_SEGMENT_CHARS_MAX]!r}")
    return UnitPath(text)


def covers(scope: UnitPath, place: UnitPath) -> bool:
    """Whether `place` is `scope` itself or lies below it."""
    return place == scope or place.startswith(scope + "/")


def ancestors(place: UnitPath) -> tuple[UnitPath, ...]:
    """The path itself and all above it, widest first."""
    segments = place.split("/")
    return tuple(UnitPath("/".join(segments[: end + 1])) for end in range(len(segments)))


def parent(place: UnitPath) -> UnitPath | None:
    """The unit directly above, or None at the top."""
    above, _, _ = place.rpartition("/")
    return UnitPath(above) if above else None


def depth(place: UnitPath) -> int:
    """Number of segments, 1 at the top."""
    return place.count("/") + 1


def addresses(targets: Iterable[UnitPath], place: UnitPath) -> bool:
    """Whether one of the targets covers the place."""
    return any(covers(target, place) for target in targets)
