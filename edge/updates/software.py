"""Which software is meant for this machine, and which of it is the newest."""

from __future__ import annotations

import platform
import re
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from tuf.api.metadata import TargetFile

ANY: Final = "any"
_VERSION: Final = re.compile(r"[0-9]{1,6}(\.[0-9]{1,6}){0,3}")


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody looks for.

    Attributes:
        product: `agent`, `guardian` or `signer`.
        have: the version that runs now; None: list only, take nothing.
        platform: what it must run on.
    """

    product: str = "agent"
    have: str | None = None
    platform: str = f"{sys.platform}-{platform.machine()}"


@dataclass(frozen=True, slots=True)
class Offer:
    """A target that is software for this machine.

    Attributes:
        target: its TUF path, such as `software/agent/loalang-0.2.0.whl`.
    """

    target: str
    version: str
    length_bytes: int


def offers(targets: Mapping[str, TargetFile], wish: Wish) -> tuple[Offer, ...]:
    """What fits, newest first; a target without a readable version is not for us."""
    found = (_offer(path, target, wish) for path, target in targets.items())
    return tuple(sorted(filter(None, found), key=lambda one: (version(one.version), one.target), reverse=True))


def _offer(path: str, target: TargetFile, wish: Wish) -> Offer | None:
    custom = target.custom or {}
    named = custom.get("version")
    fits = custom.get("platform", ANY) in (ANY, wish.platform)
    if not path.startswith(f"software/{wish.product}/") or not fits or not isinstance(named, str):
        return None
    return Offer(path, named, target.length) if _VERSION.fullmatch(named) else None


def newest(found: Iterable[Offer], wish: Wish) -> Offer | None:
    """The one to take; None when what runs is as new, or nothing is to be taken."""
    if wish.have is None:
        return None
    first = next(iter(found), None)
    return first if first is not None and version(first.version) > version(wish.have) else None


def version(text: str) -> tuple[int, ...]:
    """Numbers that compare: 0.10 is newer than 0.9, and 1.0 is 1.

    Raises:
        ValueError: not numbers with points between them.
    """
    if not _VERSION.fullmatch(text):
        raise ValueError(f"not a version: {text[:40]!r}")
    numbers = [int(one) for one in text.split(".")]
    while numbers and not numbers[-1]:
        numbers.pop()
    return tuple(numbers)
