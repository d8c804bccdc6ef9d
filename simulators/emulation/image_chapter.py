"""What only an image can show: a root that is not written, a closed network, a watchdog, a plug really pulled.

Looked at from inside by a root shell, which a real card does not have, and from outside by sound and by connecting.
"""

from __future__ import annotations

import asyncio
from typing import Any, Final

from edge.core.output import ProgrammeOutput
from edge.core.state import AgentState
from simulators.emulation.computer import is_answered
from simulators.emulation.device import READY_S_MAX, SPARE_PORT, EmulatedDevice
from simulators.emulation.horn import wall_ms
from simulators.story.broadcast import OFFSET_MS_MAX
from simulators.story.ear import UNBROKEN_MIN, Ear, check_found
from simulators.story.office import Plan
from simulators.story.stage import POWER, Stage
from simulators.story.steps import Figures, Steps, check

_AGENT: Final = "loalang-agent.service"
_DARK_MS: Final = 3_000
_JUDGED_MS: Final = 4_000
_RESTART_S_MAX: Final = 90.0
_RESUMED_S_MAX: Final = 120.0
_MEMORY_MB_MAX: Final = 160
_KERNEL_TOLD: Final = (
    "PYTHONPATH=/usr/lib/loalang/python python3 -c 'from hardware.ntp import kernel_time; print(kernel_time().held)'"
)
_LISTENER: Final = (
    "systemd-run --quiet --collect --unit=listener python3 -c 'import socket\n"
    's = socket.create_server(("0.0.0.0", {port}))\n'
    'while True: s.accept()[0].sendall(b"here")\''
)


async def image(steps: Steps, device: EmulatedDevice) -> None:
    """How the card and its system are, before anything happens."""
    async with steps.step("image_started") as figures:
        figures |= await _started(device)
    async with steps.step("root_is_read_only"):
        await _read_only(device)
    async with steps.step("clock_chip_is_set_by_agreement"):
        await device.said("systemctl start loalang-clock-chip.service")
        said = await device.said("journalctl -q --no-pager -o cat -u loalang-clock-chip.service")
        check("the clock chip was set" in said, f"the chip was not set: {said}")
    async with steps.step("no_port_is_open") as figures:
        figures |= await _closed(device)
    async with steps.step("agent_is_confined") as figures:
        figures |= await _confined(device)


async def _started(device: EmulatedDevice) -> Figures:
    """Every unit came up; the first boot made the partitions; two sources of time are two."""
    failed = await device.said("systemctl --failed --plain --no-legend --no-pager")
    check(not failed, f"units failed: {failed}")
    labels = await device.said("lsblk -n -o LABEL")
    check({"LOALANG-ID", "LOALANG-DATA"} <= set(labels.split()), f"partitions are missing: {labels}")
    left = await device.said("ls /boot/firmware")
    check("loalang" not in left.split(), "the enrolment still lies on the boot partition")
    told = await device.said(_KERNEL_TOLD)
    check(told == "False", "the kernel was told that NTP holds the clock: it writes the chip by itself")
    held = await device.said("cat /run/loalang-ntp/held; cut -d' ' -f1 /proc/uptime")
    watchdog = await device.said("systemctl show -p RuntimeWatchdogUSec --value; ls /dev/watchdog0")
    return {"ntp_held": held.split(), "watchdog": watchdog.split()}


async def _read_only(device: EmulatedDevice) -> None:
    for path in ("/", "/etc", "/usr", "/var/lib", "/etc/loalang", "/boot/firmware"):
        code, _ = await device.hand.run(f"touch {path}/x")
        check(code != 0, f"{path} can be written, even by root")
    code, said = await device.hand.run("touch /var/lib/loalang/x && rm /var/lib/loalang/x")
    check(code == 0, f"the data cannot be written: {said}")
    mounts = await device.said("findmnt -n -o OPTIONS /var/lib/loalang")
    check({"nosuid", "nodev", "noexec"} <= set(mounts.split(",")), f"the data are mounted {mounts}")


async def _closed(device: EmulatedDevice) -> Figures:
    """Nobody listens; and when somebody does, the firewall keeps strangers out. Without it they would come in."""
    sockets = (await device.said("ss -Hltun")).splitlines()
    outward = [one for one in sockets if not is_inside(one.split()[4])]
    check(not outward, f"somebody listens: {outward}")
    try:
        await device.said(_LISTENER.format(port=SPARE_PORT))
        await asyncio.sleep(2)
        check(await device.said(f"ss -Hltn sport = :{SPARE_PORT}"), "the listener for the trial does not listen")
        check(not await asyncio.to_thread(is_answered, device.spare_port), "a port inside was reached")
        await device.said("nft flush ruleset")
        reached = await asyncio.to_thread(is_answered, device.spare_port, within_s=10.0)
        check(reached, "without the firewall nobody is reached either, so the trial shows nothing")
    finally:
        await device.hand.run("systemctl stop listener; systemctl restart loalang-firewall.service")
    rules = await device.said("nft list ruleset")
    check("policy drop" in rules, "the firewall did not come back")
    return {"listening": [one.split()[4] for one in sockets]}


def is_inside(address: str) -> bool:
    """The resolver's stub, a DHCP client, raw sockets for router advertisements: none takes a connection."""
    return address.startswith(("127.", "[::1]")) or address.endswith((":68", ":546", ":58"))


async def _confined(device: EmulatedDevice) -> Figures:
    shown = await device.said(f"systemctl show -p MainPID -p MemoryCurrent -p NRestarts -p StatusText {_AGENT}")
    known = dict(line.split("=", 1) for line in shown.splitlines())
    status = await device.said(f"cat /proc/{known['MainPID']}/status")
    process = dict(line.split(":", 1) for line in status.splitlines() if ":" in line)
    check(process["CapEff"].strip("\t 0") == "" and process["CapBnd"].strip("\t 0") == "", "the agent has a right")
    check(process["Seccomp"].strip() == "2" and process["NoNewPrivs"].strip() == "1", "no filter of system calls")
    check(process["Uid"].split()[0] != "0", "the agent is root")
    check(known["NRestarts"] == "0", f"it was started {known['NRestarts']} times anew")
    rss_mb = int(process["VmRSS"].split()[0]) // 1024
    check(rss_mb <= _MEMORY_MB_MAX, f"the agent takes {rss_mb} MB")
    exposure = await device.said(f"systemd-analyze security --no-pager {_AGENT} | tail -n 1")
    return {"rss_mb": rss_mb, "unit_mb": int(known["MemoryCurrent"]) // 2**20, "exposure": _exposure(exposure)}


def _exposure(line: str) -> float:
    """`→ Overall exposure level for loalang-agent.service: 1.9 OK :-)`"""
    return float(line.partition(".service:")[2].split()[0])


async def power_and_watchdog(steps: Steps, stage: Stage, plan: Plan, device: EmulatedDevice) -> None:
    """The agent hangs in the middle of a programme; then the plug is pulled. Both times the programme goes on."""
    ear = stage.ear(POWER)
    async with steps.step("programme_plays") as figures:
        await ear.until(plan.start)
        await _resumed(ear, plan, device, figures, since_ms=plan.start)
        figures["cpu_share"] = await _cpu_share(device)
    async with steps.step("watchdog_restarts_it") as figures:
        calls, stopped_ms = device.board.calls, wall_ms()
        await device.said(f"systemctl kill -s STOP {_AGENT}")
        await device.ready(within_s=_RESTART_S_MAX, calls=calls)
        figures["ready_after_s"] = round((wall_ms() - stopped_ms) / 1000, 1)
        journal = await device.said(f"journalctl -q --no-pager -o cat _PID=1 UNIT={_AGENT}")
        check("Watchdog timeout" in journal, "systemd does not say that it was the watchdog")
    async with steps.step("programme_resumes_after_hang") as figures:
        await _resumed(ear, plan, device, figures, since_ms=stopped_ms)
    async with steps.step("power_cut") as figures:
        dark_ms = wall_ms()
        await device.set_power(False)
        await ear.silence(dark_ms + 500, dark_ms + _DARK_MS)
        figures["ready_s"] = round(await device.power_on(), 1)
    async with steps.step("programme_resumes") as figures:
        await _resumed(ear, plan, device, figures, since_ms=dark_ms)


async def _cpu_share(device: EmulatedDevice) -> float:
    """Of one emulated processor, while it plays."""
    command = f"systemctl show -P CPUUsageNSec {_AGENT}; sleep 5; systemctl show -P CPUUsageNSec {_AGENT}"
    first, last = (await device.said(command)).split()
    return round((int(last) - int(first)) / 5e9, 2)


async def _resumed(ear: Ear, plan: Plan, device: EmulatedDevice, figures: Figures, *, since_ms: float) -> None:
    """It is at the place where it would be if nothing had happened."""
    await device.wait_state(_plays, within_s=_RESUMED_S_MAX)
    sounds_ms = wall_ms()
    figures["sounds_after_s"] = round((sounds_ms - since_ms) / 1000, 1)
    begin_ms = sounds_ms - plan.start + 1_500
    found = await ear.programme(plan.long, begin_ms, begin_ms + _JUDGED_MS, start_ms=plan.start)
    figures |= {"offset_error_ms": round(found.offset_ms, 2), "correlation": round(found.correlation, 3)}
    check_found(found, "the programme", least=UNBROKEN_MIN)
    check(abs(found.offset_ms) <= OFFSET_MS_MAX, f"it is {found.offset_ms:.0f} ms beside its place")


def _plays(state: AgentState) -> bool:
    output = state.sound.output
    return isinstance(output, ProgrammeOutput) and state.sound.started == output.key


async def lost_data(steps: Steps, stage: Stage, device: EmulatedDevice) -> None:
    """The data partition dies: the device starts all the same, in memory, and says what is wrong."""
    async with steps.step("data_partition_destroyed") as figures:
        await device.keep_journal()
        part = await device.said("blkid -L LOALANG-DATA")
        # Superblocks and all: what a dying card leaves. The agent's own files are gone with it.
        await device.hand.run(f"dd if=/dev/urandom of={part} bs=1M count=64 conv=notrunc oflag=direct; sync")
        await device.set_power(False)
        figures["ready_s"] = round(await device.power_on(), 1)
        kind = await device.said("findmnt -n -o FSTYPE /var/lib/loalang")
        figures["runs_in"] = kind
    async with steps.step("lost_data_is_told"):
        await device.wait_state(lambda state: state.link_up, within_s=READY_S_MAX)

        def told(answer: dict[str, Any]) -> bool:
            return "state_damaged" in answer.get("faults", ())

        await stage.auditor.wait_for(f"/devices/{device.device}", told, within_s=60)
