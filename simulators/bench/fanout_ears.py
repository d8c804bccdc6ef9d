"""A process full of bare subscribers for the figure `alert-fanout`: `python -m simulators.bench.fanout_ears`.

It tells like a process of agents does (`simulators.fleet.muster`): `ready` when all are subscribed, `message-<n>`
when all have the n-th message. It ends with its input.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import resource
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import Final

from simulators.bench.bare_subscriber import BareSubscriber
from simulators.fleet.crew import Crew, crew_of
from simulators.fleet.muster import Muster

PROCESSES: Final = 2
AT_ONCE: Final = 50
_SUBJECT: Final = b"alert"


class NatsSubscriber(asyncio.Protocol):
    """The same for nats-server: told of each message, which nobody acknowledges (https://docs.nats.io, protocol)."""

    def __init__(self, *, ready: Callable[[], None], received: Callable[[int], None]) -> None:
        self._ready, self._received = ready, received
        self._buffer, self._left = b"", 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See asyncio."""
        assert isinstance(transport, asyncio.Transport), "a TCP connection"
        self._transport = transport
        options = json.dumps({"verbose": False, "pedantic": False}).encode()
        transport.write(b"CONNECT %b\r\nSUB %b 1\r\nPING\r\n" % (options, _SUBJECT))

    def data_received(self, data: bytes) -> None:
        """See asyncio."""
        self._buffer += data
        while self._take():
            pass

    def _take(self) -> bool:
        if self._left:
            if len(self._buffer) < self._left:
                return False
            self._buffer, self._left = self._buffer[self._left :], 0
            self._received(time.monotonic_ns())
        line, found, rest = self._buffer.partition(b"\r\n")
        if not found:
            return False
        self._buffer = rest
        if line.startswith(b"MSG "):
            self._left = int(line.rpartition(b" ")[2]) + 2
        elif line == b"PING":
            self._transport.write(b"PONG\r\n")
        elif line == b"PONG":
            self._ready()
        return True


async def hear(kind: str, count: int, *, host: str, port: int, topic: str, name: str) -> None:
    """Subscribes, and tells, until the input ends."""
    muster, limit, loop = Muster(count), asyncio.Semaphore(AT_ONCE), asyncio.get_running_loop()

    async def open_one(number: int) -> None:
        who, numbered = f"{name}-{number}", iter(range(1_000_000))
        ready = partial(_mark_ready, muster, who)

        def received(at_ns: int) -> None:
            muster.mark(f"message-{next(numbered)}", who, at_ns)

        def made() -> asyncio.Protocol:
            if kind == "nats":
                return NatsSubscriber(ready=ready, received=received)
            return BareSubscriber(who, topic, ready=ready, received=received)

        async with limit:
            await loop.create_connection(made, host, port)

    await asyncio.gather(*(open_one(number) for number in range(count)))
    reader = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    await reader.read()


def _mark_ready(muster: Muster, who: str) -> None:
    muster.mark("ready", who, time.monotonic_ns())


@asynccontextmanager
async def ears(kind: str, count: int, *, host: str, port: int, topic: str) -> AsyncIterator[Crew]:
    """So many bare subscribers, until the block ends."""
    workers = min(PROCESSES, count)
    share, rest = divmod(count, workers)
    common = [kind, "--host", host, "--port", str(port), "--topic", topic]
    own = [["--count", str(share + (number < rest)), "--name", f"ear{number}"] for number in range(workers)]
    async with crew_of("simulators.bench.fanout_ears", [[*common, *one] for one in own], count) as found:
        yield found


def main() -> None:
    """Entry point of the process."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition(":")[0])
    parser.add_argument("kind", choices=("mqtt", "nats"))
    parser.add_argument("--count", type=int, required=True)
    parser.add_argument("--host", required=True)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--topic", required=True)
    parser.add_argument("--name", required=True)
    options = parser.parse_args()
    logging.basicConfig(level=logging.ERROR)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, hard), hard))
    where = {"host": options.host, "port": options.port, "topic": options.topic, "name": options.name}
    asyncio.run(hear(options.kind, options.count, **where))


if __name__ == "__main__":
    main()
