"""The name server that lies: it answers what it is asked, and survives what is no question."""

from __future__ import annotations

import asyncio
import random
import struct

import pytest

from simulators.lying_names import LyingNames

QUESTION = struct.pack(">6H", 7, 0x0100, 1, 0, 0, 0) + b"\x0acontroller\x07example\0" + struct.pack(">2H", 1, 1)


class Asker(asyncio.DatagramProtocol):
    def __init__(self) -> None:
        self.heard: asyncio.Queue[bytes] = asyncio.Queue()

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self.heard.put_nowait(data)


async def test_every_name_means_what_it_is_told() -> None:
    async with LyingNames("127.0.0.1", "10.77.83.2", port=0) as server:
        loop = asyncio.get_running_loop()
        transport, asker = await loop.create_datagram_endpoint(Asker, remote_addr=("127.0.0.1", server.port))
        for rubbish in (b"", b"x" * 5, QUESTION[:20], random.Random(1).randbytes(400), b"\0" * 600):
            transport.sendto(rubbish)
        transport.sendto(QUESTION)
        async with asyncio.timeout(5):
            answer = await asker.heard.get()
        transport.close()
    assert answer[:2] == QUESTION[:2] and answer.endswith(bytes([10, 77, 83, 2]))
    assert server.asked == 1


@pytest.mark.parametrize("seed", range(20))
def test_rubbish_is_never_answered_with_an_error(seed: int) -> None:
    chance = random.Random(seed)
    server = LyingNames("127.0.0.1", "10.77.83.2", port=0)
    for _ in range(200):
        data = bytearray(QUESTION)
        for _ in range(chance.randrange(1, 6)):
            data[chance.randrange(len(data))] = chance.randrange(256)
        server._answer(bytes(data[: chance.randrange(len(data) + 1)]))
