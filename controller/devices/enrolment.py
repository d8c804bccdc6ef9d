"""Takes a device in: an id, a place in the tree, a name, and its certificate or a token that is shown once."""

from __future__ import annotations

from dataclasses import dataclass, replace

from aiohttp import web
from sqlalchemy.ext.asyncio import AsyncConnection

from controller.audit.log import note
from controller.devices.credentials import read_certificate
from controller.devices.identity import register_certificate
from controller.devices.keys import INGEST
from controller.devices.queries import RETIRED, Enrolled, add_device
from controller.devices.token import new_token
from controller.keys import CLOCK, CONFIG, ENGINE
from controller.people.access import require
from controller.people.domain import Role
from controller.signing.keys import AUTHORITY
from controller.signing.newcomer import place_newcomer
from controller.store.engine import writing
from controller.units.queries import unit_at
from controller.web.explained import N_, Explained
from protocol.errors import DocumentError
from protocol.limits import TEXT_CHARS_MAX
from protocol.topics import device_id
from protocol.units import UnitPath, covers, parent, unit_path


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a technician asks for, still unchecked.

    Attributes:
        certificate: PEM; may also be registered later.
    """

    id: str
    place: str
    name: str
    certificate: str = ""


async def enrol(request: web.Request, wanted: Wanted) -> tuple[Enrolled, str]:
    """Enrols a device; gives it with its token, which is empty where devices come with certificates.

    A word that was signed about it before counts at once: then the device comes back with that place, and with the
    one that was asked for as the former.

    Raises:
        Explained: the id, place or name cannot be used, or the viewer may not.
    """
    device = _checked(wanted)
    home = parent(device.place)
    assert home is not None, "a place without a unit above was refused"
    viewer = require(request, Role.TECHNICIAN, home)
    token = "" if request.app[CONFIG].device_tls is not None else new_token()
    shown = read_certificate(request, device.id, wanted.certificate) if wanted.certificate.strip() else None
    now = request.app[CLOCK]()
    async with writing(request.app[ENGINE]) as connection:
        if await unit_at(connection, home) is None:
            raise Explained(
                N_("There is no unit %(unit)s. Choose the unit from the list."), unit=home, code="no_unit"
            )
        if not await add_device(connection, device, token=token, now=now):
            raise Explained(
                N_("A device with this id or at this place is enrolled already. Choose another one."),
                status=409,
                code="taken",
            )
        device = await _where_words_say(request, connection, device)
        if shown is not None and not await register_certificate(connection, device.id, shown.fingerprint, now=now):
            raise Explained(N_("Another device uses this certificate."), status=409, code="taken")
        subject = f"{home}#{device.id}"
        await note(connection, "device.enrol", at=now, account=viewer.account, subject=subject, detail=device.name)
    await request.app[INGEST].renew_roster()
    return device, token


async def _where_words_say(request: web.Request, connection: AsyncConnection, device: Enrolled) -> Enrolled:
    app = request.app
    if AUTHORITY not in app:
        return device
    try:
        placed = await place_newcomer(connection, device, file=app[AUTHORITY], now=app[CLOCK]())
    except DocumentError as error:
        text = N_(
            "A signed word puts this device at a place where another device is. Choose another id, or have the place"
            " of one of the two signed anew."
        )
        raise Explained(text, status=409, code="taken") from error
    if placed is not None and covers(RETIRED, placed.place):
        text = N_("A signed word says that the device with this id is out of service. Choose another id.")
        raise Explained(text, status=409, code="out_of_service")
    return device if placed is None else replace(device, place=placed.place, former=placed.former)


def _checked(wanted: Wanted) -> Enrolled:
    try:
        device = device_id(wanted.id.strip())
        if device in ("new", "titles"):
            raise ValueError("the address of another page")
    except ValueError:
        raise Explained(
            N_("A device id has 1 to 64 small letters, digits and hyphens, such as ke-sach-07."), code="bad_id"
        ) from None
    name = " ".join(wanted.name.split())
    if not 0 < len(name) <= TEXT_CHARS_MAX:
        raise Explained(N_("Give the device a name of at most 200 characters, such as the hamlet."), code="bad_name")
    return Enrolled(device, _place(wanted.place), name)


def _place(text: str) -> UnitPath:
    try:
        place = unit_path(text.strip())
    except ValueError:
        place = UnitPath("")
    if parent(place) is None:
        raise Explained(
            N_("A place is the path of a unit and one part of its own, such as vn/92/31498/c07."), code="bad_place"
        )
    return place
