"""Forwards one port of 127.0.0.1, as well as a bad line lets it, and keeps count of what went through."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final

from simulators.bad_line import CHUNK_BYTES, BadLine, Direction, LineResetError

_IN_FLIGHT_CHUNKS: Final = 64
_KEPT_MAX: Final = 10_000
"""Connections that are remembered after their end."""

_Waiting = asyncio.Queue[tuple[float, bytes]]
Observer = Callable[["Connection", Direction, bytes], None]
"""Told of all bytes that came through, as they did."""


@dataclass(slots=True, eq=False)
class Connection:
    """One connection through the proxy.

    Attributes:
        opened_s, ended_s: on the loop's clock; not ended: None.
        device_left: whether it was the device that ended it, or gave it up.
        bytes_through: what arrived, in each direction.
    """

    opened_s: float
    ended_s: float | None = None
    device_left: bool = False
    bytes_through: dict[Direction, int] = field(default_factory=lambda: dict.fromkeys(Direction, 0))
    writers: list[asyncio.StreamWriter] = field(default_factory=list)

    def abort(self) -> None:
        """Resets it on both sides."""
        for writer in self.writers:
            writer.transport.abort()


class FaultProxy:
    """Listens from `start` to `close`.

    Attributes:
        detour: a port of 127.0.0.1 to which new connections are led instead; None leads them where they want.
        port: where it listens.
        refusing: whether new connections are reset at once.
        connections: those of the past and those that are open, the oldest first.
        observe: told of what comes through.
    """

    def __init__(self, line: BadLine, host: str, port: int) -> None:
        self._line, self._host, self._port = line, host, port
        self.port = 0
        self.detour: int | None = None
        self.refusing = False
        self.connections: list[Connection] = []
        self.observe: Observer | None = None
        self._server: asyncio.Server | None = None
        self._open: dict[asyncio.Task[None], Connection] = {}

    async def start(self) -> int:
        """Listens on a free port of 127.0.0.1."""
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.port = int(self._server.sockets[0].getsockname()[1])
        return self.port

    async def close(self) -> None:
        """Stops listening and breaks what is open."""
        if self._server is not None:
            self._server.close()
        tasks = list(self._open)
        self.break_connections()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._server is not None:
            await self._server.wait_closed()

    def break_connections(self) -> None:
        """Resets every connection on both sides."""
        for task, connection in self._open.items():
            connection.abort()
            task.cancel()

    def through(self, direction: Direction) -> int:
        """Bytes that came through, of all connections so far."""
        return sum(one.bytes_through[direction] for one in self.connections)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.refusing:
            writer.transport.abort()
            return
        connection = Connection(asyncio.get_running_loop().time(), writers=[writer])
        self.connections = [*self.connections[-_KEPT_MAX + 1 :], connection]
        task = asyncio.ensure_future(self._serve(connection, reader))
        self._open[task] = connection
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        connection = self._open.pop(task)
        connection.ended_s = asyncio.get_running_loop().time()
        connection.abort()
        if not task.cancelled():
            task.exception()

    async def _serve(self, connection: Connection, reader: asyncio.StreamReader) -> None:
        host, port = (self._host, self._port) if self.detour is None else ("127.0.0.1", self.detour)
        try:
            far_reader, far_writer = await asyncio.open_connection(host, port)
        except OSError:
            return
        connection.writers.append(far_writer)
        ways = ((Direction.UP, reader, far_writer), (Direction.DOWN, far_reader, connection.writers[0]))
        try:
            async with asyncio.TaskGroup() as group:
                for direction, source, sink in ways:
                    waiting: _Waiting = asyncio.Queue(_IN_FLIGHT_CHUNKS)
                    group.create_task(self._collect(connection, direction, source, waiting))
                    group.create_task(self._deliver(connection, direction, waiting, sink))
        except* LineResetError:
            pass

    async def _collect(
        self, connection: Connection, direction: Direction, reader: asyncio.StreamReader, waiting: _Waiting
    ) -> None:
        """One direction: bytes leave in their order, after what the line makes of them; the end comes last."""
        with suppress(OSError):
            while data := await reader.read(CHUNK_BYTES):
                await waiting.put((self._line.due_s(), data))
        connection.device_left |= direction is Direction.UP
        await waiting.put((self._line.due_s(), b""))

    async def _deliver(
        self,
        connection: Connection,
        direction: Direction,
        waiting: _Waiting,
        writer: asyncio.StreamWriter,
    ) -> None:
        loop = asyncio.get_running_loop()
        while True:
            due_s, data = await waiting.get()
            await asyncio.sleep(max(0.0, due_s - loop.time()))
            if not data:
                await self._line.carry(direction, 0)
                with suppress(OSError):
                    writer.write_eof()
                return
            while data:
                size = self._line.piece_bytes
                piece, data = data[:size], data[size:]
                await self._line.carry(direction, len(piece))
                await self._hand_over(connection, direction, piece, writer)

    async def _hand_over(
        self, connection: Connection, direction: Direction, piece: bytes, writer: asyncio.StreamWriter
    ) -> None:
        limit = self._line.reset_after_bytes
        if direction is Direction.DOWN and limit is not None:
            piece = piece[: max(0, limit - connection.bytes_through[direction])]
        connection.bytes_through[direction] += len(piece)
        if self.observe is not None:
            self.observe(connection, direction, piece)
        with suppress(OSError):
            writer.write(piece)
            await writer.drain()
        if direction is Direction.DOWN and limit is not None and connection.bytes_through[direction] >= limit:
            raise LineResetError("the line resets in the middle of a message")
