"""The scripts as a newcomer meets them, and the demo as one program that starts, stops and starts again."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from simulators.child import free_ports, is_free
from simulators.story.steps import StepFailedError, Steps, StoryError, check
from tests.component import need

ROOT = Path(__file__).parent.parent
SCRIPTS = ("bootstrap", "run", "check", "test", "bench", "fuzz", "image", "wiring")
OPTIONS = ("--port", "--signer-port", "--panel-port", "--mqtt-port", "--device-port")


@pytest.mark.parametrize("name", SCRIPTS)
def test_scripts_are_sound_and_executable(name: str) -> None:
    script = ROOT / "script" / name
    assert os.access(script, os.X_OK)
    subprocess.run(["bash", "-n", str(script)], check=True)
    text = script.read_text()
    assert "set -eu" in text
    assert text.startswith("#!/usr/bin/env bash\n#")


def test_ci_calls_the_tests_and_nothing_else() -> None:
    lines = [line for line in (ROOT / ".ci" / "run").read_text().splitlines() if not line.startswith("#")]
    assert lines == ['exec "$(dirname "$0")/../script/test"']


def test_bootstrap_names_a_wrong_mode() -> None:
    done = subprocess.run([ROOT / "script" / "bootstrap", "rnu"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (2, "usage: script/bootstrap [run|test]\n")


def test_missing_venv_module_prints_the_line_to_type(tmp_path: Path) -> None:
    (tmp_path / "script").mkdir()
    shutil.copy(ROOT / "script" / "bootstrap", tmp_path / "script")
    for name in ("setup.cfg", "pyproject.toml"):
        shutil.copy(ROOT / name, tmp_path)
    tools = _tools(tmp_path / "bin")
    _write_script(tools / "python3", f'case "$*" in *ensurepip*) exit 1 ;; esac\nexec {sys.executable} "$@"')
    command = [tools / "bash", tmp_path / "script" / "bootstrap", "run"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env={"PATH": str(tools)})
    assert done.returncode == 1
    assert "    sudo apt install python3-venv python3." in done.stderr
    assert not (tmp_path / ".venv").exists()


def test_old_python_is_not_taken(tmp_path: Path) -> None:
    tools = _tools(tmp_path / "bin")
    _write_script(tools / "python3", "exit 1")
    command = [tools / "bash", ROOT / "script" / "bootstrap", "run"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env={"PATH": str(tools)})
    assert done.returncode == 1
    assert "Python 3.11 or newer is needed" in done.stderr


def _tools(folder: Path) -> Path:
    """A machine with the plainest tools: no apt-get, no sudo."""
    folder.mkdir()
    for name in ("bash", "dirname", "cat", "cut", "sha256sum", "id", "find"):
        found = shutil.which(name)
        assert found is not None
        (folder / name).symlink_to(found)
    return folder


def _write_script(path: Path, text: str) -> None:
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)


def test_unknown_command_is_told() -> None:
    done = subprocess.run([sys.executable, "-m", "simulators", "fly"], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "demo | check | village" in done.stderr


def test_steps_tell_one_line_each() -> None:
    lines: list[dict[str, Any]] = []
    steps = Steps(lambda line: lines.append(json.loads(line)))

    async def play() -> None:
        async with steps.step("heard") as figures:
            figures["offset_error_ms"] = 1.5
        with pytest.raises(StepFailedError):
            async with steps.step("silent") as figures:
                figures["level_cdb"] = -900
                check(False, "it is loud")

    import asyncio

    asyncio.run(play())
    assert [(one["step"], one["ok"]) for one in lines] == [("heard", True), ("silent", False)]
    assert lines[0]["offset_error_ms"] == 1.5
    assert (lines[1]["level_cdb"], lines[1]["detail"]) == (-900, "it is loud")
    assert steps.failed == ["silent"]


def test_check_says_what_was_hoped_for() -> None:
    check(True, "never told")
    with pytest.raises(StoryError, match="told"):
        check(0, "told")


class Demo:
    """`script/run` on ports of its own."""

    def __init__(self, data: Path, *more: str) -> None:
        self.data = data
        self.ports = free_ports(len(OPTIONS))
        chosen = [word for pair in zip(OPTIONS, map(str, self.ports), strict=True) for word in pair]
        self.command = [sys.executable, "-m", "simulators", "demo", "--data", str(data), *chosen, *more]

    @contextmanager
    def running(self) -> Iterator[tuple[subprocess.Popen[str], str]]:
        """The process, and all it printed until it was ready."""
        with subprocess.Popen(self.command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
            try:
                yield process, self._printed(process)
            finally:
                if process.poll() is None:
                    process.kill()

    @staticmethod
    def _printed(process: subprocess.Popen[str]) -> str:
        assert process.stdout is not None
        told = ""
        for line in process.stdout:
            told += line
            if "Ctrl-C" in line:
                return told
        raise AssertionError(f"the demo ended before it was ready:\n{told}")

    def all_free(self) -> bool:
        return all(is_free(port) for port in self.ports)


@pytest.mark.slow
@pytest.mark.timeout(180)
def test_demo_starts_stops_and_finds_its_data_again(tmp_path: Path) -> None:
    demo = Demo(tmp_path / "data", "--lang", "vi")
    with demo.running() as (process, first):
        process.send_signal(signal.SIGINT)
        process.wait(30)
    assert process.returncode == 0
    assert demo.all_free()
    assert "Ba việc nên thử" in first and "Three things" not in first
    assert (demo.data.stat().st_mode & 0o777, _modes(demo.data, "*.json")) == (0o700, {0o600})
    with demo.running() as (process, second):
        process.send_signal(signal.SIGTERM)
        process.wait(30)
    assert process.returncode == 0
    assert demo.all_free()
    assert _accounts(first) == _accounts(second) != []


def _modes(data: Path, pattern: str) -> set[int]:
    secret = [path for path in data.glob(pattern) if path.name in ("demo.json", "village.json")]
    return {path.stat().st_mode & 0o777 for path in secret}


def _accounts(told: str) -> list[tuple[str, str]]:
    return re.findall(r"^  ([a-z-]+) +([a-z-]+-\d{4}) ", told, re.MULTILINE)


@pytest.mark.slow
@pytest.mark.timeout(120)
def test_demo_ends_with_a_part_that_falls(tmp_path: Path) -> None:
    demo = Demo(tmp_path / "data", "--lang", "en")
    with demo.running() as (process, _):
        signer = _listening_on(demo.ports[1])
        os.kill(signer, signal.SIGKILL)
        process.wait(30)
        assert process.stdout is not None
        rest = process.stdout.read()
    assert process.returncode == 1
    assert "The signer ended by itself; its log is" in rest
    assert demo.all_free()


@pytest.mark.slow
@pytest.mark.timeout(120)
def test_killed_demo_leaves_nothing_behind(tmp_path: Path) -> None:
    demo = Demo(tmp_path / "data")
    with demo.running() as (process, _):
        process.kill()
        process.wait(10)
    until = time.monotonic() + 30
    while not demo.all_free():
        assert time.monotonic() < until, "a child outlived the demo"
        time.sleep(0.1)


def _listening_on(port: int) -> int:
    import psutil

    for one in psutil.process_iter(["pid"]):
        try:
            connections = one.net_connections("tcp")
        except psutil.Error:
            continue
        if any(conn.status == psutil.CONN_LISTEN and conn.laddr.port == port for conn in connections):
            return int(one.pid)
    raise AssertionError(f"nobody listens on {port}")


@pytest.mark.parametrize("option", OPTIONS)
@pytest.mark.slow
def test_taken_port_is_named_with_its_option(tmp_path: Path, option: str) -> None:
    demo = Demo(tmp_path / "data", "--lang", "en")
    port = demo.ports[OPTIONS.index(option)]
    with socket.create_server(("127.0.0.1", port)):
        done = subprocess.run(demo.command, capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.returncode == 2
    assert f"Port {port} is taken" in done.stdout and f"{option} {port + 1000}" in done.stdout
    assert not demo.data.exists()


@pytest.mark.slow
@pytest.mark.timeout(240)
def test_main_story_is_heard_with_someones_file(tmp_path: Path) -> None:
    from simulators.encoder import encode
    from simulators.melody import melody

    file = encode(melody(21, duration_ms=9000), tmp_path / "của tôi.m4a")
    command = [sys.executable, "-m", "simulators", "check", "--audio", str(file)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    steps = {one["step"]: one for one in map(json.loads, done.stdout.splitlines())}
    assert [one for one in steps.values() if not one["ok"]] == []
    assert done.returncode == 0, done.stderr
    assert steps["upload"]["source"] == "của tôi.m4a"
    assert set(steps) >= {"file_played", "emergency_cancelled", "tampered_refused"}


@pytest.mark.slow
def test_file_that_is_no_sound_ends_the_story(tmp_path: Path) -> None:
    file = tmp_path / "bai-hat.mp3"
    file.write_bytes(b"not a sound" * 1000)
    command = [sys.executable, "-m", "simulators", "check", "--audio", str(file)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    last = json.loads(done.stdout.splitlines()[-1])
    assert (done.returncode, last["step"], last["ok"]) == (1, "upload", False)
    assert "detail" in last


@pytest.mark.slow
def test_missing_file_is_named(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "simulators", "check", "--audio", str(tmp_path / "none.mp3")]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.returncode == 1
    assert "there is no such file" in done.stderr


def test_shell_finds_no_fault() -> None:
    need(shutil.which("shellcheck") is not None, "shellcheck")
    subprocess.run(
        ["shellcheck", "-x", "-P", "SCRIPTDIR", *(str(ROOT / "script" / name) for name in SCRIPTS)], check=True
    )
