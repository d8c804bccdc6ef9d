"""A commune for stories in the browser: real offices as processes, three devices of Kế Sách here, their panels."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from playwright.async_api import Browser, Page, expect

from protocol.units import UnitPath
from simulators.child import free_ports
from simulators.device import SimDevice
from simulators.officer import Officer
from simulators.province import Province, open_province
from simulators.story.stage import KE_SACH, addresses_for, rules, settled
from simulators.surroundings import Enrolled
from simulators.village import Village, open_panels, open_village
from tests.e2e.conftest import DESKTOP, open_page, sign_in

DEVICES = 3
OPERATOR, APPROVER, KEY = "ke-sach", "ke-sach-duyet", "c1"


@dataclass(frozen=True, slots=True)
class Town:
    """Everything is up; no quiet hours whatever the clock says."""

    province: Province
    village: Village
    browser: Browser

    @property
    def loud(self) -> SimDevice:
        """The device that is really heard."""
        return self.village.at(f"{KE_SACH}/c01")

    @asynccontextmanager
    async def person(self, login: str, *, screen: dict[str, int] = DESKTOP) -> AsyncIterator[Page]:
        """Someone who has signed in with a browser of their own."""
        async with open_page(self.browser, self.province.addresses.controller, screen=screen) as page:
            await sign_in(page, login, self.province.password(login))
            yield page

    async def sign(self, page: Page, *, key: str = KEY) -> None:
        """At the signer's page: who signs, their passphrase, and back to the controller."""
        await page.wait_for_url(f"{self.province.addresses.signer}/review/**")
        person = self.province.ceremony.person(key)
        await expect(page.locator("main, body").first).to_contain_text("Xã Kế Sách")
        await page.check(f"[name=key][value={key}]")
        await page.fill("[name=passphrase]", person.passphrase)
        await page.click("form[action$='/sign'] button")
        await page.wait_for_url(f"{self.province.addresses.controller}/**")


@asynccontextmanager
async def open_town(data: Path, browser: Browser) -> AsyncIterator[Town]:
    """Runs it until the block ends."""
    addresses = addresses_for(free_ports(4))
    framers = (addresses.controller,)
    async with (
        open_province(data, addresses) as province,
        open_village(_cast(province), province.surroundings(heartbeat_ms=1000, keepalive_s=3)) as village,
        open_panels(village, port=addresses.panel_port, framers=framers),
    ):
        async with Officer(province, OPERATOR, key=KEY) as operator:
            await operator.sign(await operator.ask(KE_SACH, kind="audible-config", config=rules()))
        await settled(village)
        yield Town(province, village, browser)


def _cast(province: Province) -> list[Enrolled]:
    near = [one for one in province.demo.devices if one.place.startswith(f"{KE_SACH}/")][:DEVICES]
    return [
        Enrolled(one.id, UnitPath(one.place), one.name, one.token, full_sound=number == 0)
        for number, one in enumerate(near)
    ]
