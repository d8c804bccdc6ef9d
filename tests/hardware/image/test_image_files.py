"""The image's files as systemd, nftables and the shell understand them, before anything is booted."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.component import need

ROOT = Path(__file__).parents[3]
IMAGE = ROOT / "hardware" / "image"
UNITS = sorted((IMAGE / "systemd").iterdir())
SHELL = sorted(
    one
    for folder in ("storage", "clock", "workshop", "package", "pi-gen")
    for one in (IMAGE / folder).rglob("*")
    if one.is_file() and one.read_text(encoding="utf-8").startswith("#!")
)
EXPOSURE_MAX = 2.5
"""systemd's own figure for what a service could do if it were taken over: 0 nothing, 10 everything."""
PARTICULAR = {
    "loalang-stick@.service": "loalang-stick@sda1.service",
    "loalang-workshop@.service": "loalang-workshop@tty1.service",
    "loalang-workshop-errand@.service": "loalang-workshop-errand@1.service",
}
AS_THE_AGENT = ("loalang-agent.service", "loalang-workshop@.service")


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A root with our units and the system's own, and every program that a unit of ours names."""
    need(shutil.which("systemd-analyze") is not None, "systemd-analyze")
    made = tmp_path_factory.mktemp("root")
    units = made / "usr/lib/systemd/system"
    shutil.copytree("/usr/lib/systemd/system", units, symlinks=True, ignore_dangling_symlinks=True)
    for one in UNITS:
        shutil.copy(one, units)
    (units / "chrony.service").write_text("[Service]\nExecStart=/usr/sbin/chronyd\n")
    programs = {"/usr/sbin/chronyd", "/usr/bin/systemctl", "/usr/bin/udevadm"}
    for one in units.iterdir():
        if one.suffix == ".service" and one.is_file():
            programs |= set(re.findall(r"^Exec\w+=[-+!@|:]*(/\S+)", one.read_text(), re.MULTILINE))
    for program in programs:
        path = made / program.lstrip("/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("#!/bin/sh\n")
        path.chmod(0o755)
    return made


@pytest.mark.slow
@pytest.mark.parametrize("unit", UNITS, ids=lambda one: one.name)
def test_units_are_understood_by_systemd(root: Path, unit: Path) -> None:
    name = PARTICULAR.get(unit.name, unit.name)
    done = subprocess.run(
        ["systemd-analyze", "verify", f"--root={root}", "--man=no", name], capture_output=True, text=True, check=False
    )
    ours = [line for line in (done.stdout + done.stderr).splitlines() if "loalang" in line]
    assert not ours, "\n".join(ours)


@pytest.mark.parametrize("name", AS_THE_AGENT)
def test_agent_and_workshop_could_do_little_if_taken_over(name: str) -> None:
    need(shutil.which("systemd-analyze") is not None, "systemd-analyze")
    unit = IMAGE / "systemd" / name
    done = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", "--no-pager", str(unit)],
        capture_output=True,
        text=True,
        check=True,
    )
    found = re.search(r"Overall exposure level for \S+: ([0-9.]+)", done.stdout)
    assert found is not None
    assert float(found[1]) <= EXPOSURE_MAX


def settings(name: str) -> set[str]:
    return {line for line in (IMAGE / "systemd" / name).read_text().splitlines() if line and line[0] != "#"}


def test_menu_of_the_workshop_is_no_freer_than_the_agent() -> None:
    agent, menu = (settings(name) for name in AS_THE_AGENT)
    confined = {one for one in agent if one.startswith(("Protect", "Restrict", "SystemCall", "Private", "Capab"))}
    assert confined - menu == set()
    allowed = {one for one in menu if one.startswith("DeviceAllow=")}
    assert allowed - agent == {"DeviceAllow=/dev/%I rw"}


def test_agent_does_not_start_beside_the_workshop() -> None:
    assert "ConditionPathExists=!/run/loalang-workshop/open" in settings("loalang-agent.service")
    assert "ExecStopPost=+/usr/lib/loalang/workshop/close" in settings("loalang-workshop.service")


def test_agent_may_ask_whether_ntp_holds_the_clock() -> None:
    unit = (IMAGE / "systemd" / "loalang-agent.service").read_text()
    assert re.search(r"^SystemCallFilter=adjtimex clock_adjtime$", unit, re.MULTILINE)
    assert not re.search(r"^ProtectClock=yes", unit, re.MULTILINE), "it forbids the reading as well"


def test_time_daemon_does_not_write_the_clock_chip() -> None:
    settings = [
        line.split()[0]
        for line in (IMAGE / "etc/chrony/loalang.conf").read_text().splitlines()
        if line and not line.startswith("#")
    ]
    assert not {"rtcsync", "rtcfile", "rtcautotrim", "allow"} & set(settings)


@pytest.mark.slow
@pytest.mark.parametrize("script", SHELL, ids=lambda one: one.name)
def test_shell_scripts_are_sound(script: Path) -> None:
    need(shutil.which("shellcheck") is not None, "shellcheck")
    assert script.stat().st_mode & 0o111, "it is not executable"
    done = subprocess.run(["shellcheck", "-S", "warning", str(script)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


@pytest.mark.slow
def test_maker_of_images_is_sound() -> None:
    need(shutil.which("shellcheck") is not None, "shellcheck")
    script = str(ROOT / "script" / "image")
    done = subprocess.run(
        ["shellcheck", "-x", "-P", "SCRIPTDIR", "-S", "warning", script], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout


def test_firewall_lets_nobody_in() -> None:
    rules = (IMAGE / "etc/firewall.nft").read_text()
    assert re.search(r"chain input \{\s+type filter hook input priority filter; policy drop;", rules)
    assert not re.search(r"\btcp dport\b", rules)


def test_stick_and_data_are_never_run() -> None:
    for script in ("stick", "data", "identity"):
        for line in (IMAGE / "storage" / script).read_text().splitlines():
            if re.search(r"\bmount (-t \w+ )?-o (?!remount)", line):
                assert "nosuid,nodev,noexec" in line, f"{script}: {line}"


def test_requirements_are_those_of_the_board_and_not_of_this_machine() -> None:
    done = subprocess.run(
        [sys.executable, str(IMAGE / "build" / "requirements.py"), str(ROOT / "setup.cfg")],
        capture_output=True,
        text=True,
        check=True,
    )
    names = {re.split(r"[<>=]", line)[0] for line in done.stdout.splitlines()}
    assert {"cryptography", "aiohttp", "lgpio", "RPi.GPIO", "pyalsaaudio"} <= names
    assert "audioop-lts" not in names, "Python 3.11 has it"
    assert not names & {"av", "numpy", "pytest"}
