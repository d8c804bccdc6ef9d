"""The driver on the computer's side: lines that break, strangers that answer, keys that are handed over."""

from __future__ import annotations

import asyncio
import errno
import fcntl
import logging
import os
import random
import socket
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import serial

from hardware.errors import CardLostError
from hardware.guardian import message, wire
from hardware.guardian_link import GuardianAmplifier, GuardianLink
from hardware.guardian_pair import key_of, main, pair, pair_by_hand
from protocol.clock import WallMs
from simulators.guardian_board import is_there
from simulators.guardian_horn import Through
from simulators.guardian_node import KEY, PAIRING, GuardianNode
from simulators.loop_clock import LoopClock
from tests.component import need
from tests.contracts.guardian.pulse import Pulse

pytestmark = pytest.mark.slow


@pytest.fixture
async def node() -> AsyncIterator[GuardianNode]:
    need(is_there(), "MicroPython for Node")
    async with GuardianNode(LoopClock(wall=WallMs(1_800_000_000_000)), paired=False) as node:
        yield node


async def settled(node: GuardianNode, link: GuardianLink) -> None:
    async with Pulse(link, LoopClock(wall=WallMs(1_800_000_000_000))) as pulse:
        pulse.start()
        async with asyncio.timeout(15):
            while node.through is not Through.COMPUTER:
                await asyncio.sleep(0.05)


async def test_new_pair_begins_to_work(node: GuardianNode, tmp_path: Path) -> None:
    key = key_of(tmp_path / "guardian.key")
    assert not await pair(node.open, key, within_s=3), "the jumper is open"
    node.board.set_input(PAIRING, False)
    assert await pair(node.open, key, within_s=3)
    async with GuardianLink(node.open, key) as link:
        await settled(node, link)


async def test_technician_is_asked_for_the_jumper_when_key_and_port_are_there(node: GuardianNode) -> None:
    said: list[str] = []
    node.board.set_input(PAIRING, False)
    assert await pair_by_hand(node.open, lambda: KEY, said.append)
    assert len(said) == 1


def test_key_file_is_made_once_and_for_its_owner(tmp_path: Path) -> None:
    path = tmp_path / "guardian.key"
    key = key_of(path)
    assert key_of(path) == key and len(key) == 32
    assert path.stat().st_mode & 0o777 == 0o600


def test_key_file_that_is_none(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "guardian.key"
    path.write_text("abcd")
    computer, guardian = os.openpty()
    assert main([os.ttyname(guardian), str(path)]) == 1
    assert "không phải tệp khóa của bộ giám sát" in capsys.readouterr().err
    os.close(computer)
    os.close(guardian)


def test_port_that_is_not_there_is_told_before_anything_is_asked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(tmp_path / "tty"), str(tmp_path / "guardian.key")]) == 1
    told = capsys.readouterr()
    assert "enable_uart=1" in told.err and not told.out
    assert not (tmp_path / "guardian.key").exists()


def test_port_that_another_program_holds(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    computer, guardian = os.openpty()
    fcntl.flock(guardian, fcntl.LOCK_EX)
    assert main([os.ttyname(guardian), str(tmp_path / "guardian.key")]) == 1
    assert "systemctl stop loalang-agent" in capsys.readouterr().err
    os.close(computer)
    os.close(guardian)


@pytest.mark.parametrize(("number", "advice"), [(errno.EACCES, "dialout"), (errno.EIO, "cannot be opened")])
def test_port_that_does_not_open(number: int, advice: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise serial.SerialException(number, "no")

    monkeypatch.setattr(serial, "Serial", refuse)
    with pytest.raises(CardLostError, match=advice):
        asyncio.run(pair("/dev/ttyS9", KEY))


async def test_line_that_breaks_is_opened_again(node: GuardianNode) -> None:
    node.board.flash["key"] = KEY
    ours, theirs = socket.socketpair()
    lines = [theirs.detach()]

    def opened() -> int:
        return lines.pop() if lines else node.open()

    async with GuardianLink(opened, KEY) as link:
        await asyncio.sleep(0.5)
        ours.close()
        await settled(node, link)


async def test_port_that_appears_late_is_found(node: GuardianNode) -> None:
    node.board.flash["key"] = KEY
    node.board.power(False)
    node.board.power(True)
    tries = 0

    def opened() -> int:
        nonlocal tries
        tries += 1
        if tries < 5:
            raise FileNotFoundError("no such port yet")
        return node.open()

    async with GuardianLink(opened, KEY) as link:
        await settled(node, link)


async def test_cut_line_is_told_and_mended(node: GuardianNode) -> None:
    node.board.flash["key"] = KEY
    async with GuardianLink(node.open, KEY) as link:
        await settled(node, link)
        node.cut = True
        await asyncio.sleep(5)
        assert link.state() is None
        with pytest.raises(CardLostError):
            await link.beat(None)
        node.cut = False
        await settled(node, link)
        assert link.state() is not None


async def test_amplifier_without_a_guardian_waits_for_it(
    node: GuardianNode, caplog: pytest.LogCaptureFixture
) -> None:
    node.board.flash["key"] = KEY
    async with GuardianLink(node.open, KEY) as link:
        amplifier = GuardianAmplifier(link)
        with caplog.at_level(logging.DEBUG):
            await amplifier.switch(True)
            await amplifier.switch(True)
        assert [one.levelno for one in caplog.records if "amplifier" in one.message] == [
            logging.WARNING,
            logging.DEBUG,
        ]
        await settled(node, link)
        assert node.amplifier.on, "the wish came with the first beat"


async def test_stranger_on_the_line_is_not_believed() -> None:
    """Rubbish, other keys' welcomes, states without a session, hints by the hundred."""
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    chance = random.Random(7)
    async with GuardianLink(lambda: os.dup(theirs.fileno()), KEY) as link:
        for _ in range(50):
            ours.send(chance.randbytes(300) + wire.framed(bytes([message.STRANGER])))
            ours.send(wire.greeting(message.WELCOME, b"x" * 32, bytes(32)))
            ours.send(wire.greeting(message.WELCOME, KEY, bytes(32)))
            ours.send(wire.framed(bytes([message.STATE]) + bytes(60)))
            await asyncio.sleep(0.1)
        assert link.state() is None
        greetings = len(ours.recv(1_000_000).split(b"\0\0"))
        assert greetings <= 5 / 0.5 + 2, "a hint costs no more than a greeting each half second"
    ours.close()
    theirs.close()
