"""A name server that answers every question for an address with the one it is told, true or not (RFC 1035)."""

from __future__ import annotations

import asyncio
import ipaddress
import struct
from typing import Final

_PORT: Final = 53
_HEAD: Final = struct.Struct(">6H")
_A: Final = 1
_QUESTION_BYTES_MAX: Final = 512
_ANSWERED: Final = 0x8180
_TTL_S: Final = 1


class LyingNames(asyncio.DatagramProtocol):
    """Listens on an address within `async with`.

    Attributes:
        address: what every name means now.
        asked: how many questions came.
    """

    def __init__(self, here: str, address: str, *, port: int = _PORT) -> None:
        self.address, self.asked, self.port = address, 0, port
        self._here = here
        self._transport: asyncio.DatagramTransport | None = None

    async def __aenter__(self) -> LyingNames:
        loop = asyncio.get_running_loop()
        self._transport, _ = await loop.create_datagram_endpoint(lambda: self, (self._here, self.port))
        self.port = self._transport.get_extra_info("sockname")[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._transport is not None:
            self._transport.close()

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        """See `asyncio.DatagramProtocol`."""
        answer = self._answer(data)
        if answer is not None and self._transport is not None:
            self.asked += 1
            self._transport.sendto(answer, addr)

    def _answer(self, data: bytes) -> bytes | None:
        """The question again, with an address where one was asked for; None for what is no question."""
        if not _HEAD.size < len(data) <= _QUESTION_BYTES_MAX:
            return None
        number, flags, questions, *_ = _HEAD.unpack_from(data)
        end = data.find(b"\0", _HEAD.size) + 5
        if flags & 0x8000 or questions != 1 or end < _HEAD.size + 5 or end > len(data):
            return None
        question = data[_HEAD.size : end]
        kind = int.from_bytes(question[-4:-2], "big")
        found = kind == _A
        head = _HEAD.pack(number, _ANSWERED, 1, int(found), 0, 0)
        if not found:
            return head + question
        address = ipaddress.IPv4Address(self.address).packed
        # The name is the question's own, 12 bytes from the beginning.
        return head + question + struct.pack(">HHHIH", 0xC00C, _A, 1, _TTL_S, len(address)) + address
