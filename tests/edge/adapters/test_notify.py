"""What the service manager hears, on real datagram sockets."""

from __future__ import annotations

import logging
import secrets
import socket
from pathlib import Path

import pytest

from edge.adapters.notify import Notify


def listener(address: str) -> socket.socket:
    """The service manager's end of the line."""
    line = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    line.bind(f"\0{address[1:]}" if address.startswith("@") else address)
    line.settimeout(5)
    return line


def test_every_word_arrives_at_a_path(tmp_path: Path) -> None:
    address = str(tmp_path / "notify")
    with listener(address) as manager:
        notify = Notify(address)
        notify.ready()
        notify.alive()
        notify.status("hangs:\nsound")
        notify.stopping()
        heard = [manager.recv(4096) for _ in range(4)]
    assert heard == [b"READY=1", b"WATCHDOG=1", b"STATUS=hangs: sound", b"STOPPING=1"]


def test_abstract_address_is_understood() -> None:
    address = f"@loalang-test-{secrets.token_hex(8)}"
    with listener(address) as manager:
        Notify.from_environment({"NOTIFY_SOCKET": address}).ready()
        assert manager.recv(4096) == b"READY=1"


def test_without_a_socket_nothing_is_said() -> None:
    Notify.from_environment({}).ready()
    Notify.from_environment({"NOTIFY_SOCKET": "vsock:2:1234"}).ready()


def test_manager_that_is_gone_is_told_of_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    notify = Notify(str(tmp_path / "nobody"))
    with caplog.at_level(logging.DEBUG):
        notify.alive()
        notify.alive()
    assert [record.levelno for record in caplog.records] == [logging.WARNING, logging.DEBUG]


def test_manager_that_reads_nothing_holds_nobody_up(tmp_path: Path) -> None:
    address = str(tmp_path / "notify")
    with listener(address):
        notify = Notify(address)
        for _ in range(2000):
            notify.alive()


@pytest.mark.parametrize(
    ("environment", "watchdog_s"),
    [
        ({}, None),
        ({"WATCHDOG_USEC": "10000000"}, 10.0),
        ({"WATCHDOG_USEC": "10000000", "WATCHDOG_PID": "7"}, 10.0),
        ({"WATCHDOG_USEC": "10000000", "WATCHDOG_PID": "8"}, None),
        ({"WATCHDOG_USEC": "0"}, None),
        ({"WATCHDOG_USEC": "-5"}, None),
        ({"WATCHDOG_USEC": "soon"}, None),
        ({"WATCHDOG_USEC": "9" * 5000}, None),
    ],
)
def test_watchdog_is_asked_for_or_not(environment: dict[str, str], watchdog_s: float | None) -> None:
    notify = Notify.from_environment({"NOTIFY_SOCKET": "/nowhere", **environment}, pid=7)
    assert notify.watchdog_s == watchdog_s
