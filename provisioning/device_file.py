"""A device's `device.json`: written at enrolment, read by the agent and by `check`."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from protocol import codec
from protocol.codec import bounded
from protocol.errors import DocumentError
from protocol.grants import Anchor, read_anchor
from protocol.limits import ALERT_ENVELOPE_BYTES_MAX
from protocol.topics import device_id
from protocol.units import UnitPath, covers, unit_path
from provisioning.errors import ProvisioningError
from provisioning.i18n import gettext as _
from signer.disk import write_durably

_PATH_CHARS_MAX: Final = 1000
_FILE_BYTES_MAX: Final = 64 * 1024


@dataclass(frozen=True, slots=True)
class DeviceFile:
    """What an agent is told about itself.

    Attributes:
        token: password for the broker and bearer token for the controller.
        anchor, data: paths; relative ones start at the file's directory.
    """

    device: str
    place: UnitPath
    controller_url: str
    mqtt_host: str
    mqtt_port: int = field(metadata=bounded(low=1, high=65_535))
    token: str
    anchor: str = field(default="anchor.json", metadata=bounded(chars_max=_PATH_CHARS_MAX))
    data: str = field(default="data", metadata=bounded(chars_max=_PATH_CHARS_MAX))
    heartbeat_ms: int = field(default=60_000, metadata=bounded(low=500, high=3_600_000))

    def __post_init__(self) -> None:
        device_id(self.device)
        unit_path(self.place)


def enrol(directory: Path, device: DeviceFile, anchor: bytes) -> Path:
    """Writes `device.json` and the pinned anchor, both readable by their owner only.

    Raises:
        ProvisioningError: the anchor is none, or does not reach the device's place.
    """
    _check_reach(_anchor(anchor), device.place)
    try:
        write_durably(directory / device.anchor, anchor)
        write_durably(directory / "device.json", codec.encode(device))
    except OSError as error:
        words = _("%(path)s cannot be written: %(why)s")
        raise ProvisioningError(words % {"path": directory, "why": error.strerror}) from error
    return directory / "device.json"


def read_device(path: Path) -> DeviceFile:
    """Reads a device file.

    Raises:
        ProvisioningError: it is none.
    """
    try:
        return codec.decode(DeviceFile, path.read_bytes(), bytes_max=_FILE_BYTES_MAX)
    except (OSError, DocumentError) as error:
        words = _("%(path)s is not a device file: %(why)s")
        raise ProvisioningError(words % {"path": path, "why": error}) from error


def pinned_anchor(path: Path, device: DeviceFile) -> Anchor:
    """The anchor a device file names.

    Raises:
        ProvisioningError: it is missing, damaged, or does not reach the device's place.
    """
    try:
        with (path.parent / device.anchor).open("rb") as file:
            anchor = _anchor(file.read(ALERT_ENVELOPE_BYTES_MAX + 1))
    except OSError as error:
        words = _("%(path)s cannot be read: %(why)s")
        raise ProvisioningError(words % {"path": device.anchor, "why": error.strerror}) from error
    _check_reach(anchor, device.place)
    return anchor


def _anchor(data: bytes) -> Anchor:
    try:
        return read_anchor(data)
    except DocumentError as error:
        raise ProvisioningError(_("This is not an anchor file: %(why)s") % {"why": error}) from error


def _check_reach(anchor: Anchor, place: UnitPath) -> None:
    if not covers(anchor.scope, place):
        words = _("The anchor is for %(scope)s and does not reach %(place)s.")
        raise ProvisioningError(words % {"scope": anchor.scope, "place": place})
