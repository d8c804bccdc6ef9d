"""Who and what the story is played with: three communes' offices, six devices with full sound, one auditor."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final

from protocol.clock import WallMs, local_second
from protocol.units import UnitPath
from simulators.air import station_plan
from simulators.child import free_ports
from simulators.device import SimDevice
from simulators.officer import Officer
from simulators.province import Addresses, Province
from simulators.story.ear import Ear
from simulators.surroundings import Enrolled
from simulators.village import Village, open_village

DAY_S: Final = 86_400
KE_SACH: Final = "vn/92/31528"
LONG_PHU: Final = "vn/92/31639"
TRAN_DE: Final = "vn/92/31673"

MAIN: Final = f"{KE_SACH}/c01"
CUT: Final = f"{KE_SACH}/c02"
POWER: Final = f"{KE_SACH}/c03"
LACKING: Final = f"{LONG_PHU}/c01"
FOREIGN: Final = f"{LONG_PHU}/c02"
QUIET: Final = f"{TRAN_DE}/c01"
PLACES: Final = (MAIN, CUT, POWER, LACKING, FOREIGN, QUIET)


@dataclass(frozen=True, slots=True)
class Office:
    """A commune's people: one writes and signs, another approves."""

    unit: str
    author: Officer
    approver: Officer


@dataclass(frozen=True, slots=True)
class Stage:
    """Everything is up and everybody has signed in."""

    province: Province
    village: Village
    ke_sach: Office
    long_phu: Office
    tran_de: Office
    auditor: Officer

    @property
    def offices(self) -> tuple[Office, Office, Office]:
        """All three."""
        return self.ke_sach, self.long_phu, self.tran_de

    @property
    def controller(self) -> str:
        """Origin of the controller."""
        return self.province.addresses.controller

    def device(self, place: str) -> SimDevice:
        """The device of a place."""
        return self.village.at(place)

    def ear(self, place: str) -> Ear:
        """Someone under its horn."""
        return Ear(self.device(place))


def present() -> WallMs:
    """The wall clock."""
    return WallMs(time.time_ns() // 1_000_000)


def clock_window(begin: WallMs, end: WallMs) -> dict[str, int]:
    """A window of the day between two instants, which may lie on both sides of midnight; whole seconds."""
    return {"begin_s": local_second(begin), "end_s": local_second(end) or DAY_S}


@asynccontextmanager
async def open_devices(province: Province) -> AsyncIterator[Village]:
    """Runs the story's devices."""
    surroundings = province.surroundings(heartbeat_ms=1000, keepalive_s=3)
    cast = [
        Enrolled(one.id, UnitPath(one.place), one.name, one.token, full_sound=True)
        for one in province.demo.devices
        if one.place in PLACES
    ]
    async with open_village(cast, surroundings) as village:
        yield village


@asynccontextmanager
async def open_stage(province: Province, village: Village) -> AsyncIterator[Stage]:
    """Everybody signs in at their computers."""
    async with AsyncExitStack() as stack:

        async def officer(login: str, key: str = "") -> Officer:
            return await stack.enter_async_context(Officer(province, login, key=key))

        async def office(unit: str, slug: str, *, key: str) -> Office:
            return Office(unit, await officer(slug, key), await officer(f"{slug}-duyet"))

        yield Stage(
            province,
            village,
            ke_sach=await office(KE_SACH, "ke-sach", key="c1"),
            long_phu=await office(LONG_PHU, "long-phu", key="c2"),
            tran_de=await office(TRAN_DE, "tran-de", key="c3"),
            auditor=await officer("kiem-tra"),
        )


def rules(*, quiet: Iterable[dict[str, int]] = (), fm: Iterable[dict[str, int]] = ()) -> dict[str, Any]:
    """An audible configuration's fields."""
    fm = list(fm)
    return {
        "quiet_hours": list(quiet),
        "fm_stations": station_plan(),
        "fm_windows": fm,
        "fallback": "fm" if fm else "silence",
    }


async def sign_rules(office: Office, config: dict[str, Any]) -> None:
    """Has a commune's rules of the horn signed."""
    await office.author.sign(await office.author.ask(office.unit, kind="audible-config", config=config))


async def sign_schedule(office: Office) -> None:
    """Has a commune's schedule signed."""
    await office.author.sign(await office.author.ask(office.unit, kind="schedule"))


def addresses_for(ports: tuple[int, ...], *, broker: str | None = None) -> Addresses:
    """Addresses on free ports."""
    controller, signer, panel, mqtt = ports
    return Addresses(controller, signer, panel, mqtt, broker, device_port=free_ports(1)[0])


async def settled(village: Village, *, within_s: float = 20.0) -> None:
    """Returns when every device believes its clock and has its link."""
    waits = (
        one.wait_state(lambda state: state.link_up and state.clock.agreed is not None, within_s=within_s)
        for one in village.devices.values()
    )
    await asyncio.gather(*waits)
