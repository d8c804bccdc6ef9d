"""A village: many devices in one process, from a file that says who they are, and the server of their panels.

{"controller_url": "http://127.0.0.1:8080", "mqtt_host": "127.0.0.1", "mqtt_port": 18830, "anchor": "anchor.json",
 "data": "devices", "devices": [{"device": "loa-1", "place": "vn/92/31528/c01", "name": "...", "token": "...",
 "full_sound": true}]}
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from aiohttp import web

from protocol import codec
from protocol.codec import bounded
from simulators.air import Programmes, plain_programmes, spoken_programmes
from simulators.device import SimDevice
from simulators.panel import make_panel
from simulators.recording import person_talking
from simulators.surroundings import Enrolled, Surroundings

_FILE_BYTES_MAX: Final = 4 * 1024 * 1024
_DEVICES_MAX: Final = 5000
_PATH_CHARS_MAX: Final = 1000
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class VillageFile:
    """The content of the file; relative paths start at its directory."""

    controller_url: str
    mqtt_host: str
    mqtt_port: int
    anchor: str = field(metadata=bounded(chars_max=_PATH_CHARS_MAX))
    data: str = field(metadata=bounded(chars_max=_PATH_CHARS_MAX))
    devices: tuple[Enrolled, ...] = field(metadata=bounded(count_max=_DEVICES_MAX))
    heartbeat_ms: int = 2000
    keepalive_s: int = 5
    keys: str = field(default="", metadata=bounded(chars_max=_PATH_CHARS_MAX))
    root: str = field(default="", metadata=bounded(chars_max=_PATH_CHARS_MAX))

    def surroundings(self, directory: Path) -> Surroundings:
        """What the devices share."""
        return Surroundings(
            controller_url=self.controller_url,
            mqtt_host=self.mqtt_host,
            mqtt_port=self.mqtt_port,
            anchor=directory / self.anchor,
            data=directory / self.data,
            heartbeat_ms=self.heartbeat_ms,
            keepalive_s=self.keepalive_s,
            keys=directory / self.keys if self.keys else None,
            root=directory / self.root if self.root else None,
        )


def read_village(path: Path) -> tuple[tuple[Enrolled, ...], Surroundings]:
    """The devices of a file. Raises DocumentError, OSError."""
    read = codec.decode(VillageFile, path.read_bytes(), bytes_max=_FILE_BYTES_MAX)
    return read.devices, read.surroundings(path.resolve().parent)


@dataclass
class Village:
    """Running devices by their id, and what the FM stations of those with full sound send."""

    programmes: Programmes
    devices: dict[str, SimDevice] = field(default_factory=dict)

    def at(self, place: str) -> SimDevice:
        """The device of a place."""
        return next(one for one in self.devices.values() if one.place == place)


@asynccontextmanager
async def open_village(enrolled: Sequence[Enrolled], surroundings: Surroundings) -> AsyncIterator[Village]:
    """Runs the devices until the block ends."""
    listened = any(one.full_sound for one in enrolled)
    spoken, plain = await spoken_programmes() if listened else plain_programmes(), plain_programmes()
    recording = await person_talking() if listened else b""
    village = Village(spoken)
    try:
        for one in enrolled:
            device = SimDevice(
                one,
                surroundings,
                programmes=spoken if one.full_sound else plain,
                recording=recording if one.full_sound else b"",
            )
            village.devices[one.device] = device
            await device.open()
        yield village
    finally:
        await asyncio.gather(*(one.close() for one in village.devices.values()), return_exceptions=True)


@asynccontextmanager
async def open_panels(village: Village, *, port: int, framers: tuple[str, ...] = ()) -> AsyncIterator[int]:
    """Serves the panels on 127.0.0.1 until the block ends; gives the port."""
    runner = web.AppRunner(make_panel(village.devices, framers=framers), access_log=None, shutdown_timeout=1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", port).start()
        yield int(runner.addresses[0][1])
    finally:
        await runner.cleanup()
