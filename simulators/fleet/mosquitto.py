"""mosquitto for a fleet: on several addresses of this machine, killed and started again by its own process."""

from __future__ import annotations

import asyncio
import os
import shutil
import time
from pathlib import Path
from typing import Final

HOSTS: Final = tuple(f"127.0.0.{number}" for number in range(1, 5))
"""The fleet is spread over these, so that client ports never run out."""
_SETTINGS: Final = """{listeners}
allow_anonymous true
persistence false
set_tcp_nodelay true
max_queued_messages 0
sys_interval 0
log_type error
"""
_TRIES: Final = 400
_LOOK_S: Final = 0.02


class BrokerLackingError(Exception):
    """mosquitto is not installed, or does not start."""


def program() -> str:
    """Where it is. Raises BrokerLackingError."""
    found = shutil.which("mosquitto", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
    if found is None:
        raise BrokerLackingError("mosquitto is not installed: apt-get install mosquitto")
    return found


async def version() -> str:
    """Its own word."""
    pipe = asyncio.subprocess.PIPE
    asked = await asyncio.create_subprocess_exec(program(), "-h", stdout=pipe)
    out, _ = await asked.communicate()
    return out.decode().partition("\n")[0].removeprefix("mosquitto version ")


class Mosquitto:
    """One broker that keeps nothing: after a kill it has forgotten every session and every retained document."""

    def __init__(self, folder: Path, port: int) -> None:
        self.port = port
        self._settings = folder / "mosquitto.conf"
        listeners = "\n".join(f"listener {port} {host}" for host in HOSTS)
        self._settings.write_text(_SETTINGS.format(listeners=listeners))
        self._process: asyncio.subprocess.Process | None = None

    @property
    def pid(self) -> int:
        """Of the process that runs."""
        assert self._process is not None, "it was started"
        return self._process.pid

    async def start(self) -> int:
        """Starts it; gives the monotonic nanoseconds at which it answered. Raises BrokerLackingError."""
        null = asyncio.subprocess.DEVNULL
        self._process = await asyncio.create_subprocess_exec(program(), "-c", str(self._settings), stderr=null)
        for _ in range(_TRIES):
            try:
                _, writer = await asyncio.open_connection(HOSTS[0], self.port)
            except OSError:
                await asyncio.sleep(_LOOK_S)
            else:
                writer.close()
                return time.monotonic_ns()
        raise BrokerLackingError("mosquitto does not start")

    async def kill(self) -> None:
        """As a power cut does."""
        assert self._process is not None, "it was started"
        self._process.kill()
        await self._process.wait()

    async def stop(self) -> None:
        """Ends it, if it runs."""
        if self._process is not None and self._process.returncode is None:
            self._process.terminate()
            await self._process.wait()
