"""A bad network between an agent and its controller: a small TCP proxy on loopback that misbehaves on command.

It stands in for a village's 4G router. One `Network` holds the proxies of one device, so broker and web server are
cut together; each proxy forwards one port.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass, field
from enum import Enum
from typing import Final

_CHUNK_BYTES: Final = 16 * 1024
_IN_FLIGHT_CHUNKS: Final = 64


class LinkState(Enum):
    """What the line does."""

    UP = "up"
    CUT = "cut"
    HALF_OPEN = "half_open"


@dataclass(slots=True)
class Network:
    """One device's way to the world.

    Attributes:
        latency_ms: added in each direction.
        bytes_per_s: of each connection in each direction; None is as fast as it goes.
    """

    latency_ms: float = 0.0
    bytes_per_s: float | None = None
    state: LinkState = LinkState.UP
    proxies: list[FaultProxy] = field(default_factory=list)

    async def open(self, host: str, port: int) -> int:
        """Starts a proxy for a server; its port on 127.0.0.1."""
        proxy = FaultProxy(self, host, port)
        self.proxies.append(proxy)
        return await proxy.start()

    def cut(self) -> None:
        """Breaks every connection and refuses new ones, as a line does whose loss is noticed."""
        self.state = LinkState.CUT
        self._break_connections()

    def half_open(self) -> None:
        """Keeps and accepts connections and lets nothing through: the far end is gone and nobody says so."""
        self.state = LinkState.HALF_OPEN

    def restore(self) -> None:
        """New connections work; those that were half-open are forgotten, as by a router that was away."""
        if self.state is LinkState.HALF_OPEN:
            self._break_connections()
        self.state = LinkState.UP

    async def close(self) -> None:
        """Ends all proxies."""
        for proxy in self.proxies:
            await proxy.close()
        self.proxies.clear()

    def _break_connections(self) -> None:
        for proxy in self.proxies:
            proxy.break_connections()


class FaultProxy:
    """Forwards one port, as well as its network lets it."""

    def __init__(self, network: Network, host: str, port: int) -> None:
        self._network, self._host, self._port = network, host, port
        self._server: asyncio.Server | None = None
        self._connections: dict[asyncio.Task[None], list[asyncio.StreamWriter]] = {}

    async def start(self) -> int:
        """Listens on a free port of 127.0.0.1."""
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        return int(self._server.sockets[0].getsockname()[1])

    async def close(self) -> None:
        """Stops listening and breaks what is open."""
        if self._server is not None:
            self._server.close()
        tasks = list(self._connections)
        self.break_connections()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._server is not None:
            await self._server.wait_closed()

    def break_connections(self) -> None:
        """Resets every connection on both sides."""
        for task, writers in self._connections.items():
            for writer in writers:
                writer.transport.abort()
            task.cancel()

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._network.state is LinkState.CUT:
            writer.transport.abort()
            return
        task = asyncio.ensure_future(self._serve(reader, writer))
        self._connections[task] = [writer]
        task.add_done_callback(lambda done: self._connections.pop(done, None))

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await self._until_up()
            far_reader, far_writer = await asyncio.open_connection(self._host, self._port)
        except OSError:
            writer.transport.abort()
            return
        task = asyncio.current_task()
        assert task is not None, "this runs as a task"
        self._connections[task].append(far_writer)
        try:
            await asyncio.gather(self._forward(reader, far_writer), self._forward(far_reader, writer))
        finally:
            writer.transport.abort()
            far_writer.transport.abort()

    async def _until_up(self) -> None:
        """A half-open line never comes back to life by itself: `restore` breaks it instead."""
        if self._network.state is LinkState.HALF_OPEN:
            await asyncio.Event().wait()

    async def _forward(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One direction: bytes leave in their order, `latency_ms` after they came, at the line's rate."""
        line: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue(_IN_FLIGHT_CHUNKS)
        sending = asyncio.ensure_future(self._deliver(line, writer))
        loop = asyncio.get_running_loop()
        try:
            with suppress(OSError):
                while data := await reader.read(_CHUNK_BYTES):
                    await line.put((loop.time() + self._network.latency_ms / 1000, data))
            await line.put((loop.time() + self._network.latency_ms / 1000, b""))
            await sending
        finally:
            sending.cancel()

    async def _deliver(self, line: asyncio.Queue[tuple[float, bytes]], writer: asyncio.StreamWriter) -> None:
        loop = asyncio.get_running_loop()
        while True:
            due, data = await line.get()
            await asyncio.sleep(max(0.0, due - loop.time()))
            await self._until_up()
            with suppress(OSError):
                if not data:
                    writer.write_eof()
                    return
                writer.write(data)
                await writer.drain()
            if self._network.bytes_per_s:
                await asyncio.sleep(len(data) / self._network.bytes_per_s)
