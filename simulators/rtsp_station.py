"""A station that speaks RTSP, and one that just sends RTP packets, both with the tune of `simulators.web_radio`.

RTSP is answered the way a camera or an encoder does it: DESCRIBE, SETUP over the same connection, PLAY, then packets
between dollar signs, at the pace of their sound.
"""

from __future__ import annotations

import asyncio
import socket
import struct
import time
from collections.abc import AsyncIterator, Iterator
from functools import cache
from itertools import cycle
from types import TracebackType
from typing import Final

from simulators.encoder import opus_packets
from simulators.web_radio import adts_frames, mp3_frames, tune

_CODINGS: Final = {
    "mp3": (14, 90_000, "MPA/90000", ""),
    "aac": (96, 48_000, "mpeg4-generic/48000/1", "mode=AAC-hbr;sizelength=13;indexlength=3;config=1188"),
    "opus": (111, 48_000, "opus/48000/2", "stereo=0"),
    "l16": (97, 48_000, "L16/48000/1", ""),
}


@cache
def payloads(kind: str) -> tuple[tuple[bytes, ...], float]:
    """RTP payloads of the whole tune, and how long each sounds, in seconds."""
    if kind == "mp3":
        return tuple(bytes(4) + frame for frame in mp3_frames()), 1152 / 48_000
    if kind == "aac":
        frames = [frame[7:] for frame in adts_frames()]
        return tuple(struct.pack(">HH", 16, len(frame) << 3) + frame for frame in frames), 1024 / 48_000
    if kind == "opus":
        return opus_packets(tune()), 0.02
    swapped = bytearray(tune())
    swapped[::2], swapped[1::2] = swapped[1::2], swapped[::2]
    return tuple(bytes(swapped[at : at + 960]) for at in range(0, len(swapped), 960)), 0.01


def rtp_packets(kind: str) -> Iterator[bytes]:
    """Packets without end."""
    payload_type, rate, _, _ = _CODINGS[kind]
    sounds, each_s = payloads(kind)
    for number, payload in enumerate(cycle(sounds)):
        stamp = int(number * each_s * rate) & 0xFFFF_FFFF
        yield struct.pack(">BBHII", 0x80, payload_type, number & 0xFFFF, stamp, 0x10A) + payload


async def send_rtp(host: str, port: int, *, kind: str = "mp3") -> None:
    """Sends packets at their pace until it is cancelled."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as ours:
        async for packet in _paced(kind):
            ours.sendto(packet, (host, port))


class RtspStation:
    """An RTSP server; use it as `async with RtspStation() as station`."""

    def __init__(self) -> None:
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._port = 0
        self.asked: list[str] = []

    async def __aenter__(self) -> RtspStation:
        for kind in _CODINGS:
            await asyncio.to_thread(payloads, kind)
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self._port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    def address(self, kind: str) -> str:
        """Of a coding: mp3, aac, opus or l16."""
        return f"rtsp://127.0.0.1:{self._port}/{kind}"

    async def close(self) -> None:
        """Hangs up."""
        if self._server is not None:
            self._server.close()
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            while True:
                await self._answer(await reader.readuntil(b"\r\n\r\n"), writer)
        except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass  # the listener went, or the station closes
        finally:
            self._tasks.discard(task)
            writer.transport.abort()

    async def _answer(self, asked: bytes, writer: asyncio.StreamWriter) -> None:
        lines = asked.decode().splitlines()
        method, address, _ = lines[0].split()
        headers = dict(line.split(": ", 1) for line in lines[1:] if line)
        self.asked.append(method)
        kind = address.rpartition(f":{self._port}/")[2].split("/")[0]
        body, more = b"", ""
        if kind not in _CODINGS:
            writer.write(f"RTSP/1.0 404 Not Found\r\nCSeq: {headers['CSeq']}\r\n\r\n".encode())
            return
        if method == "DESCRIBE":
            body, more = (
                _description(kind),
                f"Content-Base: {self.address(kind)}/\r\nContent-Type: application/sdp\r\n",
            )
        elif method == "SETUP":
            more = f"Transport: {headers['Transport']}\r\n"
        head = f"RTSP/1.0 200 OK\r\nCSeq: {headers['CSeq']}\r\nSession: 4711;timeout=60\r\n{more}"
        writer.write(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
        if method == "PLAY":
            async for packet in _paced(kind):
                writer.write(b"$\0" + len(packet).to_bytes(2, "big") + packet)
                await writer.drain()


def _description(kind: str) -> bytes:
    payload_type, _, coding, parameters = _CODINGS[kind]
    lines = ["v=0", "o=- 1 1 IN IP4 127.0.0.1", "s=Simulated", "t=0 0", "m=video 0 RTP/AVP 98", "a=control:track0"]
    lines += [f"m=audio 0 RTP/AVP {payload_type}", f"a=rtpmap:{payload_type} {coding}", "a=control:track1"]
    lines += [f"a=fmtp:{payload_type} {parameters}"] * bool(parameters)
    return "".join(f"{line}\r\n" for line in lines).encode()


async def _paced(kind: str) -> AsyncIterator[bytes]:
    _, each_s = payloads(kind)
    begin = time.monotonic()
    for number, packet in enumerate(rtp_packets(kind)):
        await asyncio.sleep(begin + number * each_s - time.monotonic())
        yield packet
