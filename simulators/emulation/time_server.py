"""An NTP server that tells this machine's time and touches nothing: what chrony in the emulated computer asks.

RFC 5905, server mode only; it says it is of stratum 1, so nobody should ask it who needs the time.
"""

from __future__ import annotations

import asyncio
import struct
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

_EPOCH_S: Final = 2_208_988_800
"""From 1900, where NTP begins, to 1970."""
_PACKET: Final = struct.Struct("!BBbb II4s QQQQ")
_CLIENT, _SERVER = 3, 4
_VERSION: Final = 4


def _stamp() -> int:
    seconds, rest = divmod(time.time_ns(), 1_000_000_000)
    return (seconds + _EPOCH_S) << 32 | (rest << 32) // 1_000_000_000


class _TimeServer(asyncio.DatagramProtocol):
    def connection_made(self, transport: Any) -> None:
        self._transport = transport

    def datagram_received(self, data: bytes, address: Any) -> None:
        came = _stamp()
        if len(data) < _PACKET.size or data[0] & 7 != _CLIENT:
            return
        asked = _PACKET.unpack(data[: _PACKET.size])[-1]
        first = _VERSION << 3 | _SERVER
        answer = _PACKET.pack(
            first, 1, data[2] if data[2] < 128 else 6, -20, 0, 1 << 8, b"SIM\0", came, asked, came, _stamp()
        )
        self._transport.sendto(answer, address)


@asynccontextmanager
async def open_time_server() -> AsyncIterator[int]:
    """Answers on 127.0.0.1 until the block ends; gives the port."""
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(_TimeServer, local_addr=("127.0.0.1", 0))
    try:
        yield transport.get_extra_info("sockname")[1]
    finally:
        transport.close()
