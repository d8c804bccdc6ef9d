"""What stands around an emulated computer, tried without one: a real agent process calls through the board's door."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import struct
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from edge.core.state import AgentState
from protocol import codec
from simulators.air import plain_programmes
from simulators.emulation.computer import Computer, ComputerError
from simulators.emulation.console import Console
from simulators.emulation.distant_board import DistantBoard
from simulators.emulation.distant_hand import DistantHand
from simulators.emulation.frames import read_frame
from simulators.emulation.horn import DistantHorn, wall_ms
from simulators.emulation.image_chapter import is_inside
from simulators.emulation.time_server import open_time_server
from simulators.listening import find
from simulators.melody import melody
from simulators.story.ear import CORRELATION_MIN
from tests.edge.core.office import ANCHOR, COMMUNE

pytestmark = pytest.mark.slow
VOICE = melody(5, duration_ms=3000)


@contextmanager
def manager(address: Path) -> Iterator[socket.socket]:
    """The service manager's end of its line."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as line:
        line.bind(str(address))
        line.setblocking(False)
        yield line


async def _said(line: socket.socket, word: bytes) -> None:
    async with asyncio.timeout(30):
        while await asyncio.get_running_loop().sock_recv(line, 4096) != word:
            pass


async def _agent(directory: Path, door_port: int, notify: Path) -> asyncio.subprocess.Process:
    (directory / "anchor.json").write_bytes(codec.encode(ANCHOR))
    settings = {
        "device": "dev-c07",
        "place": f"{COMMUNE}/c07",
        "controller_url": "http://127.0.0.1:1",
        "mqtt_host": "127.0.0.1",
        "mqtt_port": 1,
        "token": "secret",
        "board": "simulators.emulation.board_door:make_board",
        "player": "simulators.machine:make_player",
    }
    (directory / "device.json").write_text(json.dumps(settings))
    around = {"LOALANG_DOOR": f"127.0.0.1:{door_port}", "NOTIFY_SOCKET": str(notify), "WATCHDOG_USEC": "3000000"}
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "edge", "--config", str(directory / "device.json"), env={**os.environ, **around}
    )


@pytest.fixture
async def board() -> AsyncIterator[DistantBoard]:
    made = DistantBoard(plain_programmes())
    yield made
    made.close()


async def test_agent_behind_a_door_is_heard_and_tells_the_manager(tmp_path: Path, board: DistantBoard) -> None:
    with manager(tmp_path / "notify") as line:
        agent = await _agent(tmp_path, await board.open(), tmp_path / "notify")
        try:
            await _said(line, b"READY=1")
            await _said(line, b"WATCHDOG=1")
            await board.wait_state(lambda state: state.identity.device == "dev-c07", within_s=30)
            began_ms = wall_ms()
            board.send("talk", VOICE)
            await board.wait_state(_sounds, within_s=10)
            await asyncio.sleep(3)
            board.send("release")
            heard = board.horn.heard(began_ms, wall_ms())
            assert find(VOICE[96_000:192_000], heard.samples).correlation > CORRELATION_MIN
        finally:
            agent.send_signal(signal.SIGTERM)
            await agent.wait()
        await _said(line, b"STOPPING=1")


def _sounds(state: AgentState) -> bool:
    return state.sound.started is not None


async def test_hand_does_what_it_is_told_and_tells_how_it_went() -> None:
    hand = DistantHand()
    environment = {**os.environ, "LOALANG_HAND": f"127.0.0.1:{await hand.open()}"}
    inside = await asyncio.create_subprocess_exec(sys.executable, "-m", "simulators.emulation.hand", env=environment)
    try:
        async with asyncio.timeout(30):
            assert await hand.run("echo here; exit 3") == (3, "here\n")
            assert await hand.run("cat") == (0, "")
    finally:
        inside.kill()
        await inside.wait()
        await hand.close()


async def test_console_reads_on_where_it_was(tmp_path: Path) -> None:
    computer = Computer(tmp_path, tmp_path, environment={}, forwards={})
    computer.console.write_bytes(b"boot\r\nmenu> \xc4\x90\xff menu> ")
    console = Console(computer)
    assert await console.until("menu> ", within_s=5) == "boot\n"
    assert await console.until("menu> ", within_s=5) == "Đ\ufffd "
    with pytest.raises(ComputerError, match="no 'menu> '"):
        await console.until("menu> ", within_s=0.3)
    with computer.console.open("ab") as line:
        line.write(b"1 menu> ")
    assert await console.until("menu> ", within_s=5) == "1 "


async def test_time_server_tells_the_time() -> None:
    async with open_time_server() as port:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as line:
            line.settimeout(5)
            line.connect(("127.0.0.1", port))
            line.send(b"rubbish")
            line.send(struct.pack("!B39xQ", 4 << 3 | 3, 0x1234))
            answer = await asyncio.to_thread(line.recv, 100)
    fields = struct.unpack("!BBbb II4s QQQQ", answer)
    assert (fields[0] & 7, fields[1], fields[8]) == (4, 1, 0x1234)
    assert abs((fields[10] >> 32) - 2_208_988_800 - time.time()) < 5


def test_distant_horn_is_silent_where_nothing_came() -> None:
    horn = DistantHorn()
    began_ms = horn.until_ms
    horn.receive(began_ms + 100, b"\1\0" * 480)
    horn.receive(began_ms + 110, 480)
    heard = horn.heard(began_ms + 90, began_ms + 120)
    assert heard.samples == bytes(960) + b"\1\0" * 480 + bytes(960)
    assert horn.until_ms == pytest.approx(began_ms + 120)


async def test_frame_that_is_too_large_ends_the_line() -> None:
    reader = asyncio.StreamReader()
    reader.feed_data(b"\xff" * 100)
    with pytest.raises(ConnectionError):
        await read_frame(reader)


@pytest.mark.parametrize(
    ("address", "inside"),
    [
        ("127.0.0.53%lo:53", True),
        ("[::1]:9", True),
        ("10.0.2.15%eth0:68", True),
        ("*:5355", False),
        ("0.0.0.0:22", False),
    ],
)
def test_who_listens_to_strangers_is_seen(address: str, inside: bool) -> None:
    assert is_inside(address) is inside
