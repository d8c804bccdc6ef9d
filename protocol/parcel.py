"""Several envelopes in one message: all that is in force for one unit, grants first.

The controller retains one parcel on each unit's `doc` topic, so a device that connects has everything after one
message for each ancestor; the same parcel answers over HTTPS and travels on a USB stick.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from protocol import codec
from protocol.codec import bounded
from protocol.envelope import Envelope, unpack
from protocol.limits import ENVELOPE_BYTES_MAX, ENVELOPES_IN_PARCEL_MAX, PARCEL_BYTES_MAX
from protocol.units import UnitPath, unit_path


@dataclass(frozen=True, slots=True)
class Parcel:
    """Envelopes as text, in the order in which a device should read them."""

    scope: UnitPath
    envelopes: tuple[str, ...] = field(
        metadata=bounded(chars_max=ENVELOPE_BYTES_MAX, count_max=ENVELOPES_IN_PARCEL_MAX)
    )

    def __post_init__(self) -> None:
        unit_path(self.scope)


def pack_parcel(scope: UnitPath, envelopes: tuple[Envelope, ...]) -> bytes:
    """The message for a unit's `doc` topic."""
    return codec.encode(Parcel(scope, tuple(one.pack().decode() for one in envelopes)))


def unpack_parcel(data: bytes) -> tuple[bytes, ...]:
    """The envelopes of a parcel, each still packed: one damaged envelope does not spoil the rest.

    Raises:
        DocumentError: not a parcel, or too large.
    """
    parcel = codec.decode(Parcel, data, bytes_max=PARCEL_BYTES_MAX)
    return tuple(one.encode() for one in parcel.envelopes)


def unpack_all(data: bytes) -> tuple[Envelope, ...]:
    """The envelopes of a parcel that must be whole, such as a backup's."""
    return tuple(unpack(one) for one in unpack_parcel(data))
