"""The demo province: three real communes of Cần Thơ that belonged to Sóc Trăng, their people and their loudspeakers.

Names and codes of communes are real (`vietnam-provinces`); people, hamlets' clusters, positions and numbers of
inhabitants are made up. Passwords and tokens are random and stand in `<data>/demo.json`, readable by the owner only.
The file is written before the database, so a start that was interrupted goes on with the same secrets.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from controller.devices.queries import Enrolled, add_device, is_taken
from controller.devices.token import new_token
from controller.people.domain import HeldRole, Role
from controller.people.easy_password import easy_password
from controller.people.passwords import hash_password
from controller.people.queries import account_by_login, add_account
from controller.store.engine import reading, writing
from controller.units.fill import fill_province, province_units
from controller.units.queries import set_people, unit_at
from protocol.clock import WallMs
from protocol.units import UnitPath

PROVINCE_CODE = 92
PROVINCE = UnitPath("vn/92")
FILE = "demo.json"


@dataclass(frozen=True, slots=True)
class Commune:
    """A commune of the demo: real code and name, made-up figures."""

    code: int
    slug: str
    officer: str
    approver: str
    people: int
    households: int
    lat: float
    lon: float
    hamlets: tuple[str, ...]

    @property
    def path(self) -> UnitPath:
        """Its place in the tree."""
        return UnitPath(f"{PROVINCE}/{self.code:05}")


COMMUNES = (
    Commune(
        31528, "ke-sach", "Nguyễn Thị Lan", "Huỳnh Văn Bé", 24_000, 6_100, 9.768, 105.985,
        ("An Ninh 1", "An Ninh 2", "An Thành", "An Khương", "An Phú", "Phụng An", "Kinh Giữa", "Bồ Đề"),
    ),
    Commune(
        31639, "long-phu", "Thạch Sô Phia", "Lâm Thị Hồng", 27_000, 6_800, 9.610, 106.125,
        ("Phú Đức", "Phú Trường", "Tân Lập", "Nước Mặn 1", "Khoan Tang", "Bưng Long", "Thạnh Đức", "Sóc Mới"),
    ),
    Commune(
        31673, "tran-de", "Trần Văn Út", "Sơn Thị Sà Vane", 21_000, 5_300, 9.510, 106.190,
        ("Đầu Giồng", "Giồng Chùa", "Mỏ Ó", "Cảng", "Chợ", "Ngan Rô", "Tổng Cáng", "Bưng Sa"),
    ),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class DemoAccount:
    """A person who tries the product."""

    login: str
    password: str
    name: str
    scope: str
    roles: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DemoDevice:
    """A simulated cluster."""

    id: str
    place: str
    name: str
    token: str
    lat: float
    lon: float


@dataclass(frozen=True, slots=True)
class Demo:
    """What `demo.json` holds."""

    accounts: tuple[DemoAccount, ...]
    devices: tuple[DemoDevice, ...]
    communes: tuple[str, ...]


def _new_accounts() -> Iterator[DemoAccount]:
    def account(login: str, name: str, scope: str, *roles: Role) -> DemoAccount:
        return DemoAccount(login, easy_password(2), name, scope, tuple(role.value for role in roles))

    yield account("bien-tap", "Phạm Ngọc Mai", PROVINCE, Role.AUTHOR)
    yield account("duyet", "Lý Minh Đức", PROVINCE, Role.APPROVER)
    yield account("dieu-hanh", "Trần Thu Hà", PROVINCE, Role.OPERATOR)
    yield account("ky-thuat", "Lê Quốc Việt", PROVINCE, Role.TECHNICIAN)
    yield account("kiem-tra", "Đặng Thị Kim", PROVINCE, Role.AUDITOR)
    for commune in COMMUNES:
        yield account(commune.slug, commune.officer, commune.path, Role.AUTHOR, Role.OPERATOR)
        yield account(f"{commune.slug}-duyet", commune.approver, commune.path, Role.APPROVER)


def _new_devices() -> Iterator[DemoDevice]:
    for commune in COMMUNES:
        for number, hamlet in enumerate(commune.hamlets, 1):
            angle = 2 * math.pi * number / len(commune.hamlets)
            yield DemoDevice(
                id=f"loa-{commune.code}-{number:02}",
                place=f"{commune.path}/c{number:02}",
                name=f"Cụm loa ấp {hamlet}",
                token=new_token(),
                lat=round(commune.lat + 0.021 * math.sin(angle), 5),
                lon=round(commune.lon + 0.024 * math.cos(angle), 5),
            )


def open_demo(data: Path) -> Demo:
    """What `demo.json` says, written now when it is not there."""
    path = data / FILE
    if not path.exists():
        made = Demo(tuple(_new_accounts()), tuple(_new_devices()), tuple(one.path for one in COMMUNES))
        _write(path, json.dumps(asdict(made), ensure_ascii=False, indent=1))
    return read_demo(path)


def read_demo(path: Path) -> Demo:
    """The demo of a file."""
    stored: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    people = tuple(DemoAccount(**{**one, "roles": tuple(one["roles"])}) for one in stored["accounts"])
    clusters = tuple(DemoDevice(**one) for one in stored["devices"])
    return Demo(people, clusters, tuple(stored["communes"]))


def _write(path: Path, text: str) -> None:
    fresh = path.with_suffix(".new")
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)


async def make_demo(engine: AsyncEngine, data: Path, *, at: WallMs) -> Demo:
    """Fills in whatever of the demo is missing in the database."""
    demo = open_demo(data)
    async with reading(engine) as connection:
        missing = [one for one in demo.accounts if await account_by_login(connection, one.login) is None]
    hashes = {one.login: await hash_password(one.password) for one in missing}
    async with writing(engine) as connection:
        await _fill_units(connection)
        for one in missing:
            held = [HeldRole(Role(role), UnitPath(one.scope)) for role in one.roles]
            await add_account(connection, one.login, name=one.name, password_hash=hashes[one.login], held=held, at=at)
        await _add_devices(connection, demo, at)
    return demo


async def _fill_units(connection: AsyncConnection) -> None:
    await fill_province(connection, PROVINCE_CODE)
    for commune in COMMUNES:
        unit = await unit_at(connection, commune.path)
        if unit is not None and unit.population is None:
            await set_people(
                connection, unit.path, name=unit.name, population=commune.people, households=commune.households
            )


async def _add_devices(connection: AsyncConnection, demo: Demo, at: WallMs) -> None:
    for one in demo.devices:
        if not await is_taken(connection, one.id, UnitPath(one.place)):
            enrolled = Enrolled(one.id, UnitPath(one.place), one.name, one.lat, one.lon)
            await add_device(connection, enrolled, token=one.token, now=at)


def demo_places(demo: Demo) -> dict[str, dict[str, Any]]:
    """Every place of the demo with its name, loudspeakers and people, as the signer shows them."""
    names = _commune_names()
    each = len(COMMUNES[0].hamlets)
    total = sum(one.people for one in COMMUNES)
    places = {str(PROVINCE): _place("Thành phố Cần Thơ", len(demo.devices), total)}
    for one in COMMUNES:
        places[one.path] = _place(names[one.code], each, one.people)
    for device in demo.devices:
        commune = next(one for one in COMMUNES if device.place.startswith(one.path + "/"))
        places[device.place] = _place(device.name, 1, commune.people // each)
    return places


def _place(name: str, loudspeakers: int, people: int) -> dict[str, Any]:
    return {"name": name, "loudspeakers": loudspeakers, "people": people}


def _commune_names() -> dict[int, str]:
    return {int(unit.path.rpartition("/")[2]): unit.name for unit in province_units(PROVINCE_CODE)[1:]}
