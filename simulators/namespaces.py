"""Two computers on one: network namespaces joined by a line of the kernel, as slow as one likes.

A TCP proxy ends TCP on both sides; what its retransmissions, windows and queues do on a thin line is seen on a
real one only. The line is a pair of virtual Ethernet devices with a token bucket at each end; netem is not needed.
Everything has names of its own and is taken away by them.
"""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

OFFICE_ADDRESS: Final = "10.77.83.1"
OTHER_ADDRESS: Final = "10.77.83.2"
"""Of the office's end too: where a name leads to, when somebody lies about it."""
DEVICE_ADDRESS: Final = "10.77.83.9"
_OF_NAMES: Final = Path("/etc/netns")
_REFUSALS: Final = ("Operation not permitted", "Permission denied", "Read-only file system", "qdisc kind is unknown")
_PATH: Final = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"


class NamespaceError(Exception):
    """The kernel or this machine's rights do not allow it; the message is theirs."""


def missing() -> list[str]:
    """Packages that this machine lacks."""
    return [] if shutil.which("ip", path=_PATH) and shutil.which("tc", path=_PATH) else ["iproute2"]


@dataclass(frozen=True, slots=True)
class FarLine:
    """An office and a device with a line between them.

    Attributes:
        office, device: names of the namespaces.
        ends: names of the line's ends, in the same order.
    """

    office: str
    device: str
    ends: tuple[str, str]

    def within(self, namespace: str) -> tuple[str, ...]:
        """Words before a command that shall run in a namespace."""
        return ("ip", "netns", "exec", namespace)

    def narrow(self, *, kbit_per_s: int, queue_bytes: int) -> None:
        """Makes the line so wide in both directions, with so much room for what waits before it."""
        shape = ("tbf", "rate", f"{kbit_per_s}kbit", "burst", "3000", "limit", str(queue_bytes))
        for namespace, end in zip((self.office, self.device), self.ends, strict=True):
            run(*self.within(namespace), "tc", "qdisc", "replace", "dev", end, "root", *shape)

    def widen(self) -> None:
        """Takes the narrowness away."""
        for namespace, end in zip((self.office, self.device), self.ends, strict=True):
            run(*self.within(namespace), "tc", "qdisc", "del", "dev", end, "root")

    def lose(self, lost: bool) -> None:
        """A line without a word: what is sent into it is gone, and nobody resets anything."""
        way = ("blackhole" if lost else "unicast", f"{DEVICE_ADDRESS}/32")
        route = ("ip", "route", "replace", *way, *(() if lost else ("dev", self.ends[0])))
        run(*self.within(self.office), *route)


@contextmanager
def far_line(*, name_server: bool = False) -> Iterator[FarLine]:
    """Makes the namespaces and takes them away.

    Args:
        name_server: the device asks the office's address for names.

    Raises:
        NamespaceError: it is not allowed here.
    """
    mark = f"loa{secrets.token_hex(3)}"
    line = FarLine(f"{mark}-office", f"{mark}-device", (f"{mark}o", f"{mark}d"))
    names = _OF_NAMES / line.device
    try:
        _join(line)
        if name_server:
            names.mkdir(parents=True)
            (names / "resolv.conf").write_text(f"nameserver {OFFICE_ADDRESS}\noptions timeout:1 attempts:1\n")
        yield line
    finally:
        # The kernel takes a pair of ends away with the namespace that holds one of them.
        for namespace in (line.office, line.device):
            _try("ip", "netns", "del", namespace)
        if name_server and names.exists():
            shutil.rmtree(names)


def _join(line: FarLine) -> None:
    here, there = line.ends
    for namespace in (line.office, line.device):
        run("ip", "netns", "add", namespace)
        run(*line.within(namespace), "ip", "link", "set", "lo", "up")
    run(
        *line.within(line.office), "ip", "link", "add", here, "type", "veth", "peer", "name", there,
        "netns", line.device,
    )  # fmt: skip
    for address in (OFFICE_ADDRESS, OTHER_ADDRESS):
        run(*line.within(line.office), "ip", "address", "add", f"{address}/24", "dev", here)
    run(*line.within(line.device), "ip", "address", "add", f"{DEVICE_ADDRESS}/24", "dev", there)
    for namespace, end in ((line.office, here), (line.device, there)):
        run(*line.within(namespace), "ip", "link", "set", end, "up")
        # As on Ethernet: a packet of 64 KB, which only virtual devices have, would not fit into the token bucket.
        run(*line.within(namespace), "ip", "link", "set", end, "gso_max_size", "1500", "gso_max_segs", "1")
    line.narrow(kbit_per_s=1_000_000, queue_bytes=1_000_000)
    line.widen()


def run(*command: str) -> None:
    """Raises NamespaceError with what the command said."""
    done = _try(*command)
    if done.returncode:
        raise NamespaceError(f"{' '.join(command)}: {done.stderr.strip()}")


def _try(*command: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PATH": _PATH, "LC_ALL": "C"}
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)  # noqa: S603


def refused(error: NamespaceError) -> bool:
    """Whether it is this environment that does not allow it, rather than something that could be installed."""
    return any(one in str(error) for one in _REFUSALS)
