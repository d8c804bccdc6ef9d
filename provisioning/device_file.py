"""A device's `device.json`: written at enrolment, read by the agent and by `check`."""

from __future__ import annotations

import ssl
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
_NO_CHECK_TIME: Final = 0x20_0000
"""OpenSSL's X509_V_FLAG_NO_CHECK_TIME: what the device does not look at does not stop its technician either."""


@dataclass(frozen=True, slots=True)
class DeviceFile:
    """What an agent is told about itself.

    Attributes:
        token: password for the broker and bearer token for the controller, on this machine only.
        ca, certificate, key: paths; what the device connects with anywhere else.
        anchor, data: paths; relative ones start at the file's directory.
        root: path of the pinned root; empty: the anchor is all there is.
        board_file: path of `board.json`; without it, the one beside this file if there is one.
    """

    device: str
    place: UnitPath
    controller_url: str
    mqtt_host: str
    mqtt_port: int = field(metadata=bounded(low=1, high=65_535))
    token: str = field(repr=False)
    ca: str = field(default="", metadata=bounded(chars_max=_PATH_CHARS_MAX))
    certificate: str = field(default="", metadata=bounded(chars_max=_PATH_CHARS_MAX))
    key: str = field(default="", metadata=bounded(chars_max=_PATH_CHARS_MAX))
    anchor: str = field(default="anchor.json", metadata=bounded(chars_max=_PATH_CHARS_MAX))
    root: str = field(default="", metadata=bounded(chars_max=_PATH_CHARS_MAX))
    data: str = field(default="data", metadata=bounded(chars_max=_PATH_CHARS_MAX))
    heartbeat_ms: int = field(default=60_000, metadata=bounded(low=500, high=3_600_000))
    board_file: str | None = field(default=None, metadata=bounded(chars_max=_PATH_CHARS_MAX))

    def __post_init__(self) -> None:
        device_id(self.device)
        unit_path(self.place)


def enrol(directory: Path, device: DeviceFile, anchor: bytes, root: bytes | None = None) -> Path:
    """Writes `device.json`, the pinned anchor and the pinned root, readable by their owner only.

    Raises:
        ProvisioningError: the anchor is none, or does not reach the device's place.
    """
    _check_reach(_anchor(anchor), device.place)
    try:
        write_durably(directory / device.anchor, anchor)
        if root is not None:
            write_durably(directory / device.root, root)
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


def line_of(path: Path, device: DeviceFile) -> ssl.SSLContext | None:
    """How a device file's connections are secured; None is plain, on this machine.

    Raises:
        ProvisioningError: its certificate, key or CA cannot be used.
    """
    if not device.ca:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.verify_flags |= ssl.VerifyFlags(_NO_CHECK_TIME)
    context.check_hostname = False  # the CA is ours alone, and makes certificates for servers only for controllers
    try:
        context.load_verify_locations(path.parent / device.ca)
        context.load_cert_chain(path.parent / device.certificate, path.parent / device.key)
    except (OSError, ValueError) as error:
        words = _("The device's certificate cannot be used: %(why)s")
        raise ProvisioningError(words % {"why": error}) from error
    return context


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
