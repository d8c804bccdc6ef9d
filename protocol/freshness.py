"""What the controller's own keys sign: the time in answer to a nonce, and heads. Neither makes anything play."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from protocol.clock import WallMs
from protocol.codec import bounded
from protocol.units import UnitPath, unit_path

_NONCE = re.compile(r"[0-9a-f]{32}")


def check_nonce(nonce: str) -> None:
    """Raises ValueError unless it is 32 hexadecimal digits."""
    if not _NONCE.fullmatch(nonce):
        raise ValueError("a nonce is 32 hexadecimal digits")


@dataclass(frozen=True, slots=True)
class Attestation:
    """The controller's time, bound to the nonce that a device made for this question."""

    nonce: str
    wall: WallMs

    def __post_init__(self) -> None:
        check_nonce(self.nonce)


@dataclass(frozen=True, slots=True)
class Newest:
    """The newest version of one kind of document of one unit."""

    scope: UnitPath
    kind: str
    version: int


@dataclass(frozen=True, slots=True)
class Head:
    """The newest versions along one unit's ancestors, with the controller's time: freshness, never authority."""

    scope: UnitPath
    issued: WallMs
    newest: tuple[Newest, ...] = field(metadata=bounded(count_max=64))

    def __post_init__(self) -> None:
        unit_path(self.scope)
