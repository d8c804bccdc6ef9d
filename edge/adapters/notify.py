"""What the service manager is told: that the agent is up, that it still lives, that it is ending.

The protocol of sd_notify(3) without its library: one datagram of `KEY=value` lines to the socket that the environment
names. Without such a socket nothing is said, so the same agent runs under a terminal or a simulator.
"""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import Mapping
from typing import Final

_US_PER_S: Final = 1_000_000
_WATCHDOG_S_MIN: Final = 0.1
_TEXT_CHARS_MAX: Final = 200
_log = logging.getLogger(__name__)


class Notify:
    """The way to the service manager.

    Args:
        address: path of its datagram socket, or a name in the abstract namespace behind an `@`; empty for none.
        watchdog_s: it restarts us after so many seconds without `alive`; None when it does not watch.
    """

    def __init__(self, address: str = "", *, watchdog_s: float | None = None) -> None:
        self._address = f"\0{address[1:]}" if address.startswith("@") else address
        self.watchdog_s = watchdog_s
        self._failing = False

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ, *, pid: int | None = None) -> Notify:
        """As NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID say, see sd_watchdog_enabled(3)."""
        address = environment.get("NOTIFY_SOCKET", "")
        if not address.startswith(("/", "@")):
            return cls()
        return cls(address, watchdog_s=_watchdog_s(environment, os.getpid() if pid is None else pid))

    def ready(self) -> None:
        """The agent has booted: what waits for it may start."""
        self._send("READY=1")

    def alive(self) -> None:
        """One proof of life."""
        self._send("WATCHDOG=1")

    def status(self, text: str) -> None:
        """One line for the technician who asks how the service is."""
        self._send(f"STATUS={' '.join(text.split())[:_TEXT_CHARS_MAX]}")

    def stopping(self) -> None:
        """The agent ends of its own will."""
        self._send("STOPPING=1")

    def _send(self, line: str) -> None:
        """Never blocks, never raises: an agent that cannot tell how it is goes on playing."""
        if not self._address:
            return
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as line_out:
                line_out.setblocking(False)
                line_out.sendto(line.encode(), self._address)
            self._failing = False
        except OSError as error:
            level = logging.DEBUG if self._failing else logging.WARNING
            _log.log(level, "the service manager cannot be told %s: %s", line, error)
            self._failing = True


def _watchdog_s(environment: Mapping[str, str], pid: int) -> float | None:
    """None when nobody watches, or watches another process."""
    if environment.get("WATCHDOG_PID", str(pid)) != str(pid):
        return None
    try:
        seconds = int(environment.get("WATCHDOG_USEC", "")) / _US_PER_S
    except (ValueError, OverflowError):
        return None
    return seconds if seconds >= _WATCHDOG_S_MIN else None
