"""What is on a stick: its documents, recordings and everything else, and what a device would take of it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from protocol.clock import WallMs
from protocol.errors import DocumentError
from protocol.grants import Anchor
from protocol.limits import PARCEL_BYTES_MAX
from protocol.parcel import unpack_parcel
from protocol.stick import BUNDLE
from protocol.units import UnitPath
from provisioning.bundle import media_of
from provisioning.errors import ProvisioningError
from provisioning.i18n import gettext as _
from provisioning.stick_files import read_some
from provisioning.stick_listing import ALARMING, Listing, State, list_stick
from provisioning.verdict import Judged, judge_all


@dataclass(frozen=True, slots=True)
class Inspection:
    """Everything that was found.

    Attributes:
        judged: whether there was an anchor to judge by.
    """

    documents: tuple[Judged, ...]
    listing: Listing
    judged: bool

    @property
    def ok(self) -> bool:
        """Whether a device would take all of it, and nothing alarming lies beside it."""
        refused = any(one.refusal for one in self.documents)
        spoilt = any(one.state in (State.MISSING, State.DAMAGED) for one in self.listing.recordings)
        return not (refused or spoilt or any(one.why in ALARMING for one in self.listing.odd))

    @property
    def media_bytes(self) -> int:
        """Of the recordings that are whole."""
        return sum(one.size_bytes for one in self.listing.recordings if one.state is State.PRESENT)


def inspect(directory: Path, *, anchor: Anchor | None, wall: WallMs, place: UnitPath | None = None) -> Inspection:
    """Looks at a stick without changing it.

    Args:
        place: a device's place, to tell what concerns it.

    Raises:
        ProvisioningError: there is no list of documents, or none that can be read.
    """
    documents, envelopes = judge_all(_parcel(directory), anchor=anchor, wall=wall, place=place)
    wanted = tuple(dict.fromkeys(media_of(envelopes)))
    return Inspection(documents, list_stick(directory.resolve(), wanted), anchor is not None)


def _parcel(directory: Path) -> tuple[bytes, ...]:
    # The technician names the directory, which may well be a link; nothing within may be one.
    path = directory.resolve() / BUNDLE
    try:
        return unpack_parcel(read_some(path, PARCEL_BYTES_MAX))
    except OSError as error:
        words = _("%(path)s cannot be read: %(why)s")
        raise ProvisioningError(words % {"path": path, "why": error.strerror or error}) from error
    except DocumentError as error:
        words = _("%(path)s is not a list of documents: %(why)s")
        raise ProvisioningError(words % {"path": path, "why": error}) from error
