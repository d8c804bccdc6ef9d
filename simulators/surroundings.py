"""What a simulated device is told: who it is, and what all devices of a village share."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import aiohttp

from protocol.units import UnitPath
from provisioning.controller_line import ControllerLine
from provisioning.device_file import DeviceFile, line_of
from provisioning.device_key import CA, CERTIFICATE, KEY


@dataclass(frozen=True, slots=True)
class Enrolled:
    """A device as the controller knows it.

    Attributes:
        full_sound: its samples are really made, so it can be listened to; the others tell levels only.
        guarded: a guardian stands between its computer and its horn.
    """

    device: str
    place: UnitPath
    name: str
    token: str
    full_sound: bool = False
    guarded: bool = False


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What all devices of a village share.

    Attributes:
        data: each device has a directory of its own below.
        keys: each device's key and certificate in a directory of its name; None: it comes with its token.
        keepalive_s: a half-dead line is noticed within twice this.
        root: the root that all of them were enrolled with; None: the anchor is all there is.
    """

    controller_url: str
    mqtt_host: str
    mqtt_port: int
    anchor: Path
    data: Path
    heartbeat_ms: int = 2000
    keepalive_s: int = 5
    keys: Path | None = None
    root: Path | None = None

    def papers(self, device: str) -> tuple[str, str, str]:
        """Paths of CA, certificate and key of a device; empty where it comes with its token."""
        if self.keys is None:
            return "", "", ""
        directory = self.keys / device
        return str(directory / CA), str(directory / CERTIFICATE), str(directory / KEY)

    def file(self, enrolled: Enrolled) -> DeviceFile:
        """What a technician's tools are told of a device."""
        ca, certificate, key = self.papers(enrolled.device)
        return DeviceFile(
            device=enrolled.device,
            place=enrolled.place,
            controller_url=self.controller_url,
            mqtt_host=self.mqtt_host,
            mqtt_port=self.mqtt_port,
            token=enrolled.token,
            ca=ca,
            certificate=certificate,
            key=key,
        )

    def line(self, session: aiohttp.ClientSession, enrolled: Enrolled) -> ControllerLine:
        """The controller as this device sees it."""
        file = self.file(enrolled)
        return ControllerLine(session, file, tls=line_of(self.data / "device.json", file))
