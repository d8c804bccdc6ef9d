"""The emulated arm64 computer: started, killed as by a power cut, given a stick; all on this machine's loopback.

qemu's user network: the computer reaches our loopback at 10.0.2.2; nobody reaches it but through ports named here.
"""

from __future__ import annotations

import asyncio
import json
import signal
import socket
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

HOST: Final = "10.0.2.2"
"""This machine, as the emulated computer sees it."""
_BOOT_AT: Final = 1024 * 1024
_PROCESSORS, _MEMORY_MB = 2, 512
_STICK_MB: Final = 16
_LAST_LINES: Final = 15


class ComputerError(Exception):
    """It does not start, or does not do what it was told; the message has the last lines of its console."""


class Computer:
    """One emulated computer with its own copy of the card.

    Args:
        built: what `script/image rootfs` made.
        directory: its card, sticks, sockets and console log.
        environment: told to its system on the kernel's command line.
        forwards: ports of our loopback and the computer's ports to which they lead.
    """

    def __init__(
        self, built: Path, directory: Path, *, environment: Mapping[str, str], forwards: Mapping[int, int]
    ) -> None:
        self._built, self._directory = built, directory
        self._environment, self._forwards = environment, forwards
        self._process: asyncio.subprocess.Process | None = None
        self.card = directory / "card.img"
        self.console = directory / "console.log"
        self._sticks = 0

    async def insert_card(self, enrolment: Path) -> None:
        """A fresh card, with what enrolment wrote in the folder `loalang` of its boot partition."""
        self._directory.mkdir(parents=True, exist_ok=True)
        await _run("cp", "--sparse=always", str(self._built / "card.img"), str(self.card))
        await self.put_on_boot(enrolment, "loalang")

    async def put_on_boot(self, what: Path, name: str) -> None:
        """A file or folder comes onto the boot partition of the card, which is not in the computer meanwhile."""
        await _run("mcopy", "-s", "-i", f"{self.card}@@{_BOOT_AT}", str(what), f"::{name}")

    async def power_on(self) -> None:
        """Starts it; it is up when its agent says so.

        A board's computer has nothing else to do; this one goes before the rest of the machine, where it may.
        """
        kernel = next((self._built / "kernel" / "boot").glob("vmlinuz-*"))
        (self._directory / "qmp").unlink(missing_ok=True)
        with self.console.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                "setpriv",
                "--pdeathsig",
                "KILL",
                "nice",
                "--adjustment=-15",
                "qemu-system-aarch64",
                *self._machine(kernel),
                stdin=asyncio.subprocess.PIPE,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def _machine(self, kernel: Path) -> list[str]:
        told = " ".join(f"systemd.setenv={name}={value}" for name, value in self._environment.items())
        words = "console=ttyAMA0 ro net.ifnames=0 fsck.mode=skip systemd.swap=no panic=5 systemd.show_status=no"
        forwards = "".join(f",hostfwd=tcp:127.0.0.1:{ours}-:{its}" for ours, its in self._forwards.items())
        disks = {"card": (self.card, "off"), "emulation": (self._built / "emulation.img", "on")}
        arguments = ["-M", "virt", "-cpu", "cortex-a72", "-accel", "tcg,thread=multi"]
        arguments += ["-smp", str(_PROCESSORS), "-m", str(_MEMORY_MB), "-nodefaults", "-display", "none"]
        arguments += ["-kernel", str(kernel), "-initrd", str(self._built / "initrd.gz"), "-append", f"{words} {told}"]
        for name, (path, fixed) in disks.items():
            arguments += ["-drive", f"if=none,id={name},file={path},format=raw,readonly={fixed}"]
            arguments += ["-device", f"virtio-blk-pci,drive={name}"]
        arguments += ["-netdev", f"user,id=net{forwards}", "-device", "virtio-net-pci,netdev=net"]
        arguments += ["-device", "virtio-rng-pci", "-device", "qemu-xhci,id=usb", "-device", "i6300esb"]
        arguments += ["-rtc", "base=utc,clock=host", "-action", "watchdog=reset"]
        arguments += ["-serial", "stdio", "-qmp", f"unix:{self._directory / 'qmp'},server=on,wait=off"]
        return arguments

    def type(self, keys: str) -> None:
        """Comes in at its serial line."""
        assert self._process is not None and self._process.stdin is not None, "it has power"
        self._process.stdin.write(keys.encode())

    def power_off(self) -> None:
        """The plug is pulled: whatever its kernel had not written yet is lost."""
        if self._process is not None and self._process.returncode is None:
            self._process.kill()

    async def gone(self) -> None:
        """Returns when it is really off."""
        if self._process is not None:
            await self._process.wait()

    @property
    def running(self) -> bool:
        """Whether it has power."""
        return self._process is not None and self._process.returncode is None

    def complaint(self) -> str:
        """The end of its console."""
        lines = self.console.read_text(errors="replace").splitlines() if self.console.exists() else []
        return "\n".join(f"    {line}" for line in lines[-_LAST_LINES:])

    async def plug_stick(self, folder: Path) -> None:
        """A stick with what is in a folder goes into a USB socket; the one before is pulled."""
        if self._sticks:
            await self.pull_stick()
        self._sticks += 1
        stick, name = self._directory / f"stick-{self._sticks}.img", f"stick{self._sticks}"
        with stick.open("wb") as file:
            file.truncate(_STICK_MB * 1024 * 1024)
        await _run("mkfs.vfat", "-n", "STICK", str(stick))
        files = await asyncio.to_thread(lambda: [str(one) for one in folder.iterdir()])
        await _run("mcopy", "-s", "-i", str(stick), *files, "::/")
        file_node = {"driver": "file", "filename": str(stick)}
        await self._qmp("blockdev-add", {"node-name": name, "driver": "raw", "file": file_node})
        await self._qmp("device_add", {"driver": "usb-storage", "id": f"usb-{name}", "drive": name, "bus": "usb.0"})

    async def on_stick(self, name: str) -> bytes:
        """A file on the stick that was plugged in last, which may be still in its socket."""
        taken = self._directory / "from-stick"
        await _run(
            "mcopy", "-n", "-o", "-i", str(self._directory / f"stick-{self._sticks}.img"), f"::/{name}", str(taken)
        )
        return await asyncio.to_thread(taken.read_bytes)

    async def pull_stick(self) -> None:
        """Out it goes, asked or not."""
        with suppress(ComputerError):
            await self._qmp("device_del", {"id": f"usb-stick{self._sticks}"})

    async def _qmp(self, command: str, arguments: dict[str, Any]) -> None:
        reader, writer = await asyncio.open_unix_connection(str(self._directory / "qmp"))
        try:
            await reader.readline()
            for line in ({"execute": "qmp_capabilities"}, {"execute": command, "arguments": arguments}):
                writer.write(json.dumps(line).encode() + b"\n")
                answer = json.loads(await reader.readline())
                while "event" in answer:
                    answer = json.loads(await reader.readline())
                if "error" in answer:
                    raise ComputerError(f"{command}: {answer['error']}")
        finally:
            writer.close()

    async def stop(self) -> None:
        """Off, and let go of."""
        if self.running:
            assert self._process is not None, "it runs"
            self._process.send_signal(signal.SIGKILL)
        await self.gone()


async def _run(*words: str) -> None:
    process = await asyncio.create_subprocess_exec(
        *words, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    said, _ = await process.communicate()
    if process.returncode != 0:
        raise ComputerError(f"{words[0]}: {said.decode(errors='replace').strip()}")


def is_answered(port: int, *, within_s: float = 3.0) -> bool:
    """Whether anybody behind a forwarded port says a word; qemu itself accepts every connection at first."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=within_s) as line:
            line.settimeout(within_s)
            line.sendall(b"?\n")
            return bool(line.recv(1))
    except OSError:
        return False
