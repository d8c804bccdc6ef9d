"""Who publishes in the figure `alert-fanout` without a controller, and the peer's server."""

from __future__ import annotations

import asyncio
import shutil
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final, Self

from simulators.bench.bare_subscriber import connect, packet, text
from simulators.child import free_ports
from simulators.fleet.mosquitto import HOSTS

_TRIES: Final = 200
_LOOK_S: Final = 0.05
_PUBACK_BYTES: Final = 4


@dataclass(slots=True)
class BarePublisher:
    """One raw MQTT connection that publishes with QoS 1."""

    _reader: asyncio.StreamReader
    _writer: asyncio.StreamWriter

    @classmethod
    async def open(cls, host: str, port: int) -> Self:
        """Connects."""
        reader, writer = await asyncio.open_connection(host, port)
        writer.write(connect("bare-publisher"))
        await reader.readexactly(_PUBACK_BYTES)
        return cls(reader, writer)

    async def publish(self, topic: str, payload: bytes) -> int:
        """Publishes; gives the instant just before."""
        data = packet(0x32, text(topic) + b"\x00\x01" + payload)
        began_ns = time.monotonic_ns()
        self._writer.write(data)
        await self._reader.readexactly(_PUBACK_BYTES)
        return began_ns

    def close(self) -> None:
        """Ends the connection."""
        self._writer.close()


@dataclass(slots=True)
class NatsPublisher:
    """One raw connection to nats-server."""

    _reader: asyncio.StreamReader
    _writer: asyncio.StreamWriter

    @classmethod
    async def open(cls, host: str, port: int) -> Self:
        """Connects."""
        reader, writer = await asyncio.open_connection(host, port)
        await reader.readline()
        writer.write(b'CONNECT {"verbose":false,"pedantic":false}\r\n')
        return cls(reader, writer)

    async def publish(self, payload: bytes) -> int:
        """Publishes; gives the instant just before; returns when the server has read it."""
        data = b"PUB alert %d\r\n%b\r\nPING\r\n" % (len(payload), payload)
        began_ns = time.monotonic_ns()
        self._writer.write(data)
        while await self._reader.readline() != b"PONG\r\n":
            pass
        return began_ns

    def close(self) -> None:
        """Ends the connection."""
        self._writer.close()


@dataclass(frozen=True, slots=True)
class NatsServer:
    """A server that runs."""

    port: int

    @classmethod
    @asynccontextmanager
    async def running(cls) -> AsyncIterator[Self]:
        """Runs until the block ends. Raises OSError when it does not start."""
        (port,) = free_ports(1)
        command = [_program(), "-a", HOSTS[0], "-p", str(port)]
        server = await asyncio.create_subprocess_exec(*command, stderr=asyncio.subprocess.DEVNULL)
        try:
            await _answers(port)
            yield cls(port)
        finally:
            server.terminate()
            await server.wait()


async def _answers(port: int) -> None:
    for _ in range(_TRIES):
        try:
            _, writer = await asyncio.open_connection(HOSTS[0], port)
        except OSError:
            await asyncio.sleep(_LOOK_S)
        else:
            writer.close()
            return
    raise OSError("nats-server does not start")


def _program() -> str:
    found = shutil.which("nats-server")
    if found is None:
        raise OSError("nats-server is not installed: apt-get install nats-server")
    return found


async def nats_version() -> str:
    """The server's own word."""
    asked = await asyncio.create_subprocess_exec(_program(), "--version", stdout=asyncio.subprocess.PIPE)
    out, _ = await asked.communicate()
    return out.decode().strip().rpartition(" ")[2]
