"""The workshop in the emulated computer: a technician's file on the card, and his hands at the serial line.

Three boots: one into the workshop, where the parts are tried and the menu breaks down; one into it again, which is
left; and the one after that, which is a loudspeaker's. Between the first two nothing is rebooted to get the agent.
"""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Final

from protocol.units import UnitPath
from simulators.air import plain_programmes
from simulators.child import free_ports
from simulators.emulation.console import Console
from simulators.emulation.device import EmulatedDevice
from simulators.emulation.horn import wall_ms
from simulators.emulation.time_server import open_time_server
from simulators.province import open_province
from simulators.story.stage import MAIN, addresses_for
from simulators.story.steps import Figures, StepFailedError, Steps, check
from simulators.surroundings import Enrolled

_AGENT: Final = "loalang-agent.service"
_FILE: Final = "loalang-workshop"
_ASKS: Final = "Gõ số rồi nhấn Enter:"
_BOOT_S_MAX: Final = 300.0
_MENU_S_MAX: Final = 90.0
_TRIALS_S_MAX: Final = 600.0
_SILENT: Final = "2\n"
_PAPERS: Final = "6\n"
_SAVE: Final = "7\n"
_LEAVE: Final = "9\n"
_LIBRARIES: Final = "/usr/lib/loalang/python"
_ON_SCREEN: Final = "Thu tat ca cac bo phan"
"""The emulated screen has the kernel's own font: the menu writes without marks there."""
_KEEP_KEY: Final = (
    f"PYTHONPATH={_LIBRARIES} setpriv --reuid=loalang --regid=loalang --clear-groups python3 -c '"
    "from pathlib import Path; from hardware.workshop.errand import Errands; "
    'Errands(Path("/run/loalang-workshop-errand")).keep_key(bytes(range(32)))\''
)
_GLYPHS: Final = (
    f"PYTHONPATH={_LIBRARIES} python3 -c 'from hardware.workshop.letters import glyphs; "
    'screen = open("/dev/tty1", "rb"); print(len(glyphs(screen.fileno()) or ()))\''
)


async def play_workshop(steps: Steps, data: Path, *, built: Path) -> None:
    """Plays it with one device of the story, whose offices are open."""
    try:
        async with AsyncExitStack() as stack:
            async with steps.step("offices_open"):
                device = await stack.enter_async_context(_with_card(data, built))
                console = Console(device.computer)
            await _opened(steps, device, console)
            await _tried(steps, device, console)
            await _broken_down(steps, device)
            await _left(steps, device, console)
    except StepFailedError:
        pass


@asynccontextmanager
async def _with_card(data: Path, built: Path) -> AsyncIterator[EmulatedDevice]:
    async with AsyncExitStack() as stack:
        province = await stack.enter_async_context(open_province(data / "province", addresses_for(free_ports(4))))
        around = province.surroundings(heartbeat_ms=1000, keepalive_s=3)
        one = next(one for one in province.demo.devices if one.place == MAIN)
        enrolled = Enrolled(one.id, UnitPath(one.place), one.name, one.token, full_sound=False)
        device = EmulatedDevice(enrolled, around, programmes=plain_programmes(), built=built)
        await device.lay_card(time_port=await stack.enter_async_context(open_time_server()))
        stack.push_async_callback(device.close)
        stack.push_async_callback(device.keep_journal)
        empty = data / _FILE
        empty.touch()
        await device.computer.put_on_boot(empty, _FILE)
        yield device


async def _opened(steps: Steps, device: EmulatedDevice, console: Console) -> None:
    async with steps.step("workshop_opens_instead_of_the_agent") as figures:
        began_ms = wall_ms()
        await device.computer.power_on()
        await console.until(_ASKS, within_s=_BOOT_S_MAX)
        figures["menu_after_s"] = round((wall_ms() - began_ms) / 1000, 1)
        await device.hand.run("dmesg -n 1")
        figures |= await _open_and_agent_silent(device)
    async with steps.step("screen_is_written_in_letters_that_it_has") as figures:
        figures["glyphs"] = int(await device.said(_GLYPHS))
        await device.until_said(f"grep -c '{_ON_SCREEN}' /dev/vcs1", "1", within_s=_MENU_S_MAX)
    async with steps.step("menu_is_confined_and_no_shell") as figures:
        figures |= await _confined(device)
        for keys in ("\x03", "\x1a\x1c1;sh\n", "$(reboot)\n", "9" * 3000 + "\n", "\x04"):
            console.type(keys)
            await console.until(_ASKS, within_s=_MENU_S_MAX)
        console.type(_PAPERS)
        shown = await console.until(_ASKS, within_s=_MENU_S_MAX)
        check(device.device in shown and device.place in shown, f"the menu does not know who it is: {shown}")


async def _open_and_agent_silent(device: EmulatedDevice) -> Figures:
    failed = await device.said("systemctl --failed --plain --no-legend --no-pager")
    check(not failed, f"units failed: {failed}")
    _, state = await device.hand.run(f"systemctl is-active {_AGENT}")
    check(state.strip() == "inactive", f"the agent is {state.strip()}")
    left = await device.said("ls /boot/firmware; findmnt -n -o OPTIONS /boot/firmware")
    check(_FILE not in left and left.split()[-1].startswith("ro,"), f"the boot partition: {left}")
    screens = await device.said("systemctl list-units --plain --no-legend --no-pager 'loalang-workshop*'")
    return {"units": [one.split()[0] for one in screens.splitlines()]}


async def _confined(device: EmulatedDevice) -> Figures:
    pid = await device.said("systemctl show -P MainPID loalang-workshop@ttyAMA0.service")
    status = await device.said(f"cat /proc/{pid}/status")
    process = dict(line.split(":", 1) for line in status.splitlines() if ":" in line)
    check(process["CapEff"].strip("\t 0") == "" and process["CapBnd"].strip("\t 0") == "", "the menu has a right")
    check(process["Seccomp"].strip() == "2" and process["NoNewPrivs"].strip() == "1", "no filter of system calls")
    check(process["Uid"].split()[0] != "0", "the menu is root")
    return {"rss_mb": int(process["VmRSS"].split()[0]) // 1024}


async def _tried(steps: Steps, device: EmulatedDevice, console: Console) -> None:
    async with steps.step("parts_are_tried_from_the_menu") as figures:
        console.type(_SILENT)
        await console.until(_ASKS, within_s=_TRIALS_S_MAX)
        report = json.loads(await device.said("cat /run/loalang-workshop/selftest.json"))
        results = {one["name"]: one["result"] for one in report["trials"]}
        check(report["device"] == device.device, f"the report is of {report['device']!r}")
        check(results["link"] == results["disk"] == "ok", f"link and disk are there: {results}")
        figures["results"] = results
    await _saved(steps, device, console, report)
    async with steps.step("key_of_a_guardian_is_kept"):
        await device.said(_KEEP_KEY)
        kept = await device.said("stat -c '%U:%G %a' /etc/loalang/guardian.key; cat /etc/loalang/guardian.key")
        check(kept.split() == ["root:loalang", "640", bytes(range(32)).hex()], f"what was kept: {kept}")
        check((await device.said("findmnt -n -o OPTIONS /etc/loalang")).startswith("ro,"), "identity is writable")


async def _saved(steps: Steps, device: EmulatedDevice, console: Console, report: object) -> None:
    async with steps.step("report_is_saved_on_the_card"):
        name = await _save(console)
        check(json.loads(await device.said(f"cat /boot/firmware/{name}")) == report, "it is not the report")
        check((await device.said("findmnt -n -o OPTIONS /boot/firmware")).startswith("ro,"), "the card is writable")
    async with steps.step("report_is_saved_on_a_stick") as figures:
        device.slot.mkdir(parents=True, exist_ok=True)
        (device.slot / "empty.txt").write_text("a stick\n")
        await device.until_said("mountpoint -q /media/loalang && echo there", "there")
        name = await _save(console)
        check(json.loads(await device.computer.on_stick(name)) == report, "what is on the stick is not the report")
        check((await device.said("findmnt -n -o OPTIONS /media/loalang")).startswith("ro,"), "the stick is writable")
        figures["file"] = name


async def _save(console: Console) -> str:
    """Under this name."""
    console.type(_SAVE)
    shown = await console.until(_ASKS, within_s=_MENU_S_MAX)
    found = re.search(r"loalang-selftest-[a-z0-9-]+\.json", shown)
    check(found is not None, f"it was not saved: {shown}")
    return found[0] if found else ""


async def _broken_down(steps: Steps, device: EmulatedDevice) -> None:
    async with steps.step("workshop_that_breaks_down_starts_the_agent") as figures:
        ended_ms = wall_ms()
        await device.said("systemctl kill -s KILL loalang-workshop.service")
        await device.ready(within_s=_BOOT_S_MAX)
        figures["ready_after_s"] = round((wall_ms() - ended_ms) / 1000, 1)
        running = await device.hand.run("systemctl is-active 'loalang-workshop*'")
        check("active" not in running[1].split(), f"of the workshop there is still: {running[1]}")


async def _left(steps: Steps, device: EmulatedDevice, console: Console) -> None:
    async with steps.step("workshop_opens_again"):
        put = f"cd /boot/firmware && mount -o remount,rw . && touch {_FILE} && sync -f . && mount -o remount,ro ."
        await device.said(put)
        await device.hand.run("systemctl --no-block reboot")
        await console.until(_ASKS, within_s=_BOOT_S_MAX)
    async with steps.step("leaving_it_boots_a_loudspeaker") as figures:
        calls, left_ms = device.board.calls, wall_ms()
        console.type(f"{_LEAVE}co\n")
        await device.ready(within_s=_BOOT_S_MAX, calls=calls)
        figures["ready_after_s"] = round((wall_ms() - left_ms) / 1000, 1)
        _, state = await device.hand.run("systemctl is-active loalang-workshop.service")
        check(state.strip() == "inactive", f"the workshop is {state.strip()}")
        failed = await device.said("systemctl --failed --plain --no-legend --no-pager")
        check(not failed, f"units failed: {failed}")
