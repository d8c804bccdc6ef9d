"""What a device would meet with its `device.json`: tried from this machine, one line for each question."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from contextvars import copy_context
from dataclasses import dataclass
from pathlib import Path

import aiohttp

from protocol.clock import WallMs, local_datetime
from protocol.grants import Anchor
from protocol.limits import CLOCK_SKEW_MS_MAX
from provisioning.board_part import BOARD_FILE, read_board_part
from provisioning.controller_line import ControllerLine
from provisioning.device_ca import fingerprint, read_certificate
from provisioning.device_file import DeviceFile, line_of, pinned_anchor, read_device
from provisioning.errors import ProvisioningError
from provisioning.i18n import gettext as _


@dataclass(frozen=True, slots=True)
class Answer:
    """One question, whether all is well, and what was found."""

    question: str
    ok: bool
    found: str


async def check_device(path: Path, *, wall: Callable[[], WallMs]) -> tuple[Answer, ...]:
    """Tries everything a device needs; a failure never hides the answers after it."""
    try:
        device = read_device(path)
    except ProvisioningError as error:
        return (Answer(_("Device file"), False, str(error)),)
    first = [Answer(_("Device file"), True, f"{device.device} · {device.place}")]
    board = path.parent / (device.board_file or BOARD_FILE)
    if device.board_file or board.exists():
        first.append(await _try(_("Board"), lambda: _board(board)))
    secured = await _try(_("Certificate"), lambda: _certificate(path, device))
    if not secured.ok:
        return (*first, secured)
    async with aiohttp.ClientSession() as session:
        line = ControllerLine(session, device, tls=line_of(path, device))
        rest = [
            secured,
            await _try(_("Anchor"), lambda: _anchor(path, device)),
            await _try(_("Data directory"), lambda: _data(path, device)),
            await _try(_("Clock"), lambda: _clock(line, path, device, wall)),
            await _try(_("Documents"), lambda: _documents(line)),
            await _try(_("Broker"), lambda: _broker(path, device)),
        ]
    return (*first, *rest)


async def _try(question: str, ask: Callable[[], Awaitable[str]]) -> Answer:
    try:
        return Answer(question, True, await ask())
    except ProvisioningError as error:
        return Answer(question, False, str(error))


async def _board(path: Path) -> str:
    board, remarks = await asyncio.to_thread(copy_context().run, read_board_part, path)
    return " · ".join((board.variant, *remarks))


async def _anchor(path: Path, device: DeviceFile) -> str:
    anchor: Anchor = pinned_anchor(path, device)
    words = _("%(scope)s, %(need)d of %(have)d keys")
    return words % {"scope": anchor.scope, "need": anchor.threshold, "have": len(anchor.keys)}


async def _data(path: Path, device: DeviceFile) -> str:
    directory = path.parent / device.data
    try:
        await asyncio.to_thread(_touch, directory)
    except OSError as error:
        words = _("%(path)s cannot be written: %(why)s")
        raise ProvisioningError(words % {"path": directory, "why": error.strerror}) from error
    return str(directory)


def _touch(directory: Path) -> None:
    directory.mkdir(parents=True, exist_ok=True)
    probe = directory / ".probe"
    probe.write_bytes(b"")
    probe.unlink()


async def _clock(line: ControllerLine, path: Path, device: DeviceFile, wall: Callable[[], WallMs]) -> str:
    theirs = await line.time(pinned_anchor(path, device))
    apart_ms = abs(theirs - wall())
    shown = f"{local_datetime(theirs):%H:%M:%S %d/%m/%Y}"
    if apart_ms > CLOCK_SKEW_MS_MAX:
        words = _("The controller says %(time)s; this machine is %(apart)d seconds off.")
        raise ProvisioningError(words % {"time": shown, "apart": apart_ms // 1000})
    return shown


async def _documents(line: ControllerLine) -> str:
    found = await line.documents()
    return ", ".join(sorted({one.kind for one in found.envelopes()})) or _("none yet")


async def _certificate(path: Path, device: DeviceFile) -> str:
    if line_of(path, device) is None:
        return _("none: it connects plainly, to this machine only")
    return fingerprint(read_certificate((path.parent / device.certificate).read_bytes()))


async def _broker(path: Path, device: DeviceFile) -> str:
    address = f"{device.mqtt_host}:{device.mqtt_port}"
    try:
        opening = asyncio.open_connection(device.mqtt_host, device.mqtt_port, ssl=line_of(path, device))
        _reader, writer = await asyncio.wait_for(opening, 5)
    except (OSError, TimeoutError) as error:
        words = _("%(address)s does not answer: %(why)s")
        raise ProvisioningError(words % {"address": address, "why": error or "timeout"}) from error
    writer.close()
    with suppress(OSError):
        await writer.wait_closed()
    return address
