"""The main job in a real browser: compose, approve, sign, heard; an emergency and its cancel; a device's panel.

Screenshots go to pytest's temporary directory; set LOALANG_SCREENSHOTS to a directory to look at them afterwards.
"""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, FrameLocator, Page, Route, expect

from controller.bulletins.wording import STANDINGS
from controller.web.i18n import catalogue
from edge.core.output import AlertOutput, Rung
from edge.core.state import AgentState
from edge.core.timeline import config_of
from protocol.clock import WallMs, local_datetime
from simulators.device import SimDevice
from simulators.encoder import encode
from simulators.face import NetworkWeather
from simulators.listening import find
from simulators.melody import melody
from simulators.officer import Officer, message_of
from simulators.story.ear import SILENT_CDB, Ear
from simulators.story.stage import KE_SACH, present, rules
from tests.e2e.conftest import DESKTOP, PHONE
from tests.e2e.town import APPROVER, DEVICES, KEY, OPERATOR, Town, open_town

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.slow,
    pytest.mark.timeout(240),
    pytest.mark.asyncio(loop_scope="session"),
]
SONG = melody(77, duration_ms=6000)
INVITATION = (
    "Kính mời bà con đến nhà văn hoá ấp để họp. Ai bận xin báo trước với trưởng ấp, số điện thoại ở bảng tin."
)
EMERGENCY = "Nước dâng nhanh. Bà con sơ tán đến trường học."


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def town(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Town]:
    async with open_town(tmp_path_factory.mktemp("town"), browser) as opened:
        yield opened


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    folder = Path(os.environ.get("LOALANG_SCREENSHOTS", tmp_path))
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _minute_ahead(*, least_s: int) -> WallMs:
    start = local_datetime(present()) + timedelta(seconds=least_s + 60)
    return WallMs(int(start.replace(second=0, microsecond=0).timestamp() * 1000))


async def _compose(page: Page, sound: Path, start: WallMs) -> str:
    """Fills the form in as a person does; gives the bulletin's address."""
    await page.goto("/bulletins/new")
    await page.fill("#title", "Bài hát của ấp")
    await page.set_input_files("[data-part=file]", sound)
    await expect(page.locator("[data-part=chosen]")).to_be_visible(timeout=30_000)
    await page.check("[name=kind][value=once]", force=True)
    moment = local_datetime(start)
    await page.fill("#date", f"{moment:%Y-%m-%d}")
    await page.fill("#time", f"{moment:%H:%M}")
    await expect(page.locator("#preview")).to_contain_text("8 cụm loa")
    await page.click("button[value=submit]")
    await page.wait_for_url(re.compile(r"/bulletins/b[0-9a-f]+$"))
    return page.url


async def _approve(town: Town, address: str, pictures: Path) -> None:
    async with town.person(APPROVER, screen=PHONE) as page:
        await page.goto(address)
        await page.screenshot(path=pictures / "approve-phone.png", full_page=True)
        await page.click("form[action$='/approve'] button")
        await page.click("dialog[open] button[value=yes]")
        await expect(page.locator("form[action$='/approve']")).to_have_count(0)


async def test_composed_approved_signed_heard(town: Town, tmp_path: Path, pictures: Path) -> None:
    start = _minute_ahead(least_s=35)
    async with town.person(OPERATOR) as page:
        address = await _compose(page, encode(SONG, tmp_path / "bai-hat.mp3"), start)
        await page.screenshot(path=pictures / "submitted-desktop.png", full_page=True)
        await _approve(town, address, pictures)
        await page.goto("/signing")
        await page.click("form[action='/signing/schedule'] button")
        await town.sign(page)
        await page.goto(address)
        await _watch(page, "ready")
        await _watch(page, "heard", within_s=110)
        await page.screenshot(path=pictures / "heard-desktop.png", full_page=True)
    heard = town.loud.board.horn.heard(start - 500, start + 7_000)
    found = find(SONG[: 4 * 96_000], heard.samples)
    assert found.correlation > 0.9
    assert abs(heard.began_ms + found.offset_ms - start) < 60


async def _watch(page: Page, standing: str, *, within_s: float = 20) -> None:
    """The page tells by itself, without being loaded again, how far the loudspeakers are."""
    word = catalogue("vi").gettext(STANDINGS[standing])
    badges = page.locator(f'#standings td .badge:text-is("{word}")')
    await expect(badges).to_have_count(DEVICES, timeout=within_s * 1000)


async def test_emergency_sounds_and_is_cancelled(town: Town, pictures: Path) -> None:
    async with town.person(OPERATOR, screen=PHONE) as page:
        await page.goto("/alerts/new")
        await page.click(".kind-card.actual")
        await expect(page.locator("[data-count=loudspeakers]")).to_have_text("8")
        await page.fill("#text", EMERGENCY)
        await page.screenshot(path=pictures / "emergency-phone.png", full_page=True)
        await page.click(".send-bar button")
        await town.sign(page)
        began = await _tone(town)
        await expect(page.locator(".counts .good strong")).to_have_text(str(DEVICES), timeout=15_000)
        await page.screenshot(path=pictures / "emergency-sounding-phone.png", full_page=True)
        await page.click(".cancel-form button.cancel")
        await town.loud.wait_state(lambda state: not _is_emergency(state), within_s=5)
        silent = present() + 600
        await expect(page.locator(".cancel-form")).to_have_count(0)
    ear = Ear(town.loud)
    assert await ear.level_cdb(began + 1_000, began + 2_000) > -3_500
    assert await ear.level_cdb(silent, silent + 1_500) <= SILENT_CDB


async def _tone(town: Town) -> float:
    await town.loud.wait_state(_is_emergency, within_s=10)
    return present()


def _is_emergency(state: AgentState) -> bool:
    return isinstance(state.sound.output, AlertOutput)


@pytest.mark.parametrize("screen", [PHONE, DESKTOP], ids=["phone", "desktop"])
async def test_panel_talks_and_is_heard(town: Town, pictures: Path, screen: dict[str, int]) -> None:
    async with town.person(OPERATOR, screen=screen) as page:
        panel = await _panel(page, town.loud)
        await panel.locator("text=Micrô của máy này").click()
        await panel.locator("#listen").click()
        await panel.locator("#talk").scroll_into_view_if_needed()
        await panel.locator("#lock").check()
        await panel.locator("#talk").click()
        await town.loud.wait_state(lambda state: state.sound.output.rung == Rung.MICROPHONE, within_s=10)
        await expect(panel.locator("#rung")).to_have_text("Micrô")
        await _loud_in_the_browser(panel)
        await page.screenshot(path=pictures / f"panel-{screen['width']}.png", full_page=True)
        await panel.locator("#talk").click()
        await expect(panel.locator("#rung")).to_have_text("Im lặng")
        await panel.locator("#listen").click()
        await expect(panel.locator("#note")).to_be_hidden()


@pytest.mark.parametrize("screen", [PHONE, DESKTOP], ids=["phone", "desktop"])
async def test_message_button_says_its_title_and_sounds(town: Town, pictures: Path, screen: dict[str, int]) -> None:
    async with town.person(OPERATOR, screen=screen) as page, Officer(town.province, OPERATOR, key=KEY) as officer:
        spoken = await officer.speak(INVITATION, unit=KE_SACH, title="Mời họp ấp")
        config = rules() | {"messages": [message_of(1, spoken)]}
        await officer.sign(await officer.ask(KE_SACH, kind="audible-config", config=config))
        await town.loud.wait_state(lambda state: spoken["digest"] in state.media, within_s=20)
        panel = await _panel(page, town.loud)
        first, second = panel.locator("[data-message='1']"), panel.locator("[data-message='2']")
        await expect(first).to_contain_text("Mời họp ấp")
        await expect(second).to_contain_text("Chưa có lời nhắn nào được ký")
        await first.click()
        await expect(first).to_have_attribute("aria-pressed", "true")
        await expect(panel.locator("[data-lamp=sound]")).to_have_attribute("data-on", "true")
        await page.screenshot(path=pictures / f"panel-message-{screen['width']}.png", full_page=True)
        await first.click()
        await expect(panel.locator("#rung")).to_have_text("Im lặng")
        await second.click()
        await expect(panel.locator("[data-lamp=fault]")).to_have_attribute("data-glow", "blink")
        await first.click()
        await expect(panel.locator("[data-lamp=fault]")).to_have_attribute("data-glow", "off")
        await panel.locator("#stop").click()
        await expect(first).to_have_attribute("aria-pressed", "false")


async def _panel(page: Page, device: SimDevice) -> FrameLocator:
    """The panel inside the controller's device page."""
    await page.goto(f"/devices/{device.device}")
    panel = page.frame_locator("iframe.panel-frame")
    await expect(panel.locator("#panel")).to_have_attribute("data-away", "false")
    return panel


async def _loud_in_the_browser(panel: FrameLocator) -> None:
    """What the worklet plays is no silence: the browser's false microphone beeps once a second."""
    async with asyncio.timeout(15):
        while int(await panel.locator("#ear").get_attribute("aria-valuenow") or -60) < -45:
            await asyncio.sleep(0.05)


async def test_panel_cuts_network_and_power(town: Town) -> None:
    async with town.person(OPERATOR) as page:
        panel = await _panel(page, town.loud)
        await expect(panel.locator("[data-lamp=network]")).to_have_attribute("data-on", "true")
        await panel.locator("[data-act=network] [value=cut]").click()
        await expect(panel.locator("[data-lamp=network]")).to_have_attribute("data-on", "false")
        await expect(panel.locator("#sounding")).to_contain_text("tự chạy tiếp")
        assert town.loud.face().network is NetworkWeather.CUT
        await panel.locator("[data-act=network] [value=up]").click()
        await panel.locator("[data-act=power] [value=off]").click()
        await expect(panel.locator("#rung")).to_have_text("Mất điện")
        await expect(panel.locator("#talk")).to_be_disabled()
        await panel.locator("[data-act=power] [value=on]").click()
        await expect(panel.locator("[data-lamp=network]")).to_have_attribute("data-on", "true", timeout=20_000)
        await expect(page.locator("[data-is=reach]")).to_have_text("Đang kết nối", timeout=20_000)


async def test_stick_brings_what_the_network_cannot(town: Town) -> None:
    device = town.village.at(f"{KE_SACH}/c02")
    async with town.person(OPERATOR, screen=PHONE) as page, Officer(town.province, OPERATOR, key=KEY) as officer:
        panel = await _panel(page, device)
        await panel.locator("[data-act=network] [value=cut]").click()
        await device.wait_state(lambda state: not state.link_up, within_s=10)
        asked = await officer.ask(KE_SACH, kind="audible-config", config=rules())
        await officer.sign(asked)
        await panel.locator("#stick").click()
        await device.wait_state(lambda state: config_of(state).version == asked["summary"]["version"], within_s=15)
        assert not device.face().linked
        await expect(panel.locator("#stick")).to_contain_text("Đã đọc xong USB", timeout=15_000)
        await panel.locator("[data-act=network] [value=up]").click()


async def test_page_misses_nothing_while_it_opens(town: Town) -> None:
    """What happened after the page was made and before its line of events stood is asked for once."""
    opened = asyncio.Event()

    async def late(route: Route) -> None:
        await opened.wait()
        await route.continue_()

    other = next(one for one in town.village.devices.values() if not one.full_sound)
    async with town.person(OPERATOR) as page:
        await page.route("**/events", late)
        await page.goto(f"/devices/{other.device}")
        async with page.expect_request("**/api/v1/devices"):
            opened.set()


async def test_mute_device_says_that_it_is_mute(town: Town) -> None:
    other = next(one for one in town.village.devices.values() if not one.full_sound)
    async with town.person(OPERATOR, screen=PHONE) as page:
        await page.goto(f"{town.province.addresses.panel}/panel/{other.device}?lang=vi")
        await expect(page.locator(".ear")).to_contain_text("không kèm âm thanh")
        await expect(page.locator("#listen")).to_have_count(0)
