"""Takes back what a grantor has given: every grant with an epoch below the denied one is refused, and all under it.

One epoch for each grantor; it never falls. It is signed by the grantor, or by one above when the grantor's own key is
the stolen one, and it travels in every parcel and bundle. The same may come from the root, through TUF.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field

from protocol import codec
from protocol.clock import WallMs
from protocol.codec import bounded
from protocol.limits import ALERT_ENVELOPE_BYTES_MAX, DENIED_MAX
from protocol.units import UnitPath, unit_path


def grantor_id(scope: UnitPath, holder: str) -> str:
    """Names a grantor in registers and lookups: 32 hexadecimal digits over scope and holder, whatever is in them."""
    return hashlib.sha256(f"{scope}\n{holder}".encode()).hexdigest()[:32]


@dataclass(frozen=True, slots=True)
class Denial:
    """A grantor's word.

    Attributes:
        scope, holder: those of the grantor's own grant; `anchor` is the holder of the anchor.
        epoch: lowest epoch that is still accepted in grants it gave.
    """

    scope: UnitPath
    holder: str
    epoch: int = field(metadata=bounded(low=1))
    issued: WallMs

    def __post_init__(self) -> None:
        unit_path(self.scope)

    @property
    def grantor(self) -> str:
        """See `grantor_id`."""
        return grantor_id(self.scope, self.holder)

    def may_come_from(self, *, scope: UnitPath, holder: str) -> bool:
        """Whether the holder of a grant may say this: the grantor itself, or one of a wider scope."""
        return scope != self.scope or holder == self.holder


@dataclass(frozen=True, slots=True)
class Denied:
    """A grantor and its epoch."""

    scope: UnitPath
    holder: str
    epoch: int

    @property
    def grantor(self) -> str:
        """See `grantor_id`."""
        return grantor_id(self.scope, self.holder)


@dataclass(frozen=True, slots=True)
class RootWord:
    """What the root says besides the anchor; comes through TUF, which has verified it.

    Attributes:
        version: grows; an older word changes nothing.
        floor: puts the clock's floor here, also backwards. Nothing else can lower it.
    """

    version: int
    denied: tuple[Denied, ...] = field(default=(), metadata=bounded(count_max=DENIED_MAX))
    floor: WallMs | None = None


def read_root_word(data: bytes) -> RootWord:
    """Reads the TUF target `root-word.json`.

    Raises:
        DocumentError: it is none.
    """
    return codec.decode(RootWord, data, bytes_max=ALERT_ENVELOPE_BYTES_MAX)
