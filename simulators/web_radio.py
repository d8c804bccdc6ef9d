"""A web radio on a real socket: MP3, Opus or AAC at the pace of its sound, or HLS; it closes, falls silent, misleads.

    python -m simulators.web_radio            prints its address and plays until it is stopped

Paths: `/radio.mp3`, `/radio.opus`, `/radio.aac`, `/hls/radio.m3u8` (transport stream), `/hls/packed.m3u8` (bare AAC),
`/letter` (a page of text), `/moved?<address>` (a redirect), `/list?<address>` (an HLS playlist that names it).
"""

from __future__ import annotations

import asyncio
import contextlib
import io
import tempfile
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import Final
from urllib.parse import unquote

import av
from av.audio.stream import AudioStream

from simulators.encoder import encode
from simulators.melody import melody

LENGTH_MS: Final = 30_000
TUNE: Final = 11
_STEP_S: Final = 0.04
_SEGMENT_MS: Final = 1_000
_WINDOW: Final = 4
_AHEAD_SEGMENTS: Final = 4
_MP3_FRAME_BYTES: Final = 384
_TYPES: Final = {"mp3": "audio/mpeg", "opus": "audio/ogg", "aac": "audio/aac"}


@cache
def tune() -> bytes:
    """What it plays, over and over: 48 kHz mono samples."""
    return melody(TUNE, duration_ms=LENGTH_MS)


class WebRadio:
    """A station; use it as `async with WebRadio() as radio`.

    Args:
        burst_ms: so much is sent at once to who connects, as Icecast does.
        port: 0 for a free one.
    """

    def __init__(self, *, burst_ms: int = 0, port: int = 0) -> None:
        self._burst_s = burst_ms / 1000
        self._port = port
        self._server: asyncio.Server | None = None
        self._sends = asyncio.Event()
        self._writers: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._began = time.monotonic()
        self.asked: list[str] = []

    async def __aenter__(self) -> WebRadio:
        for kind in _TYPES:
            await asyncio.to_thread(_coded, kind)
        await asyncio.to_thread(_segments, True)
        self._began = time.monotonic()
        await self.open()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    def address(self, path: str) -> str:
        """The address of a path."""
        return f"http://127.0.0.1:{self._port}/{path}"

    async def open(self) -> None:
        """Takes listeners (again)."""
        self._sends.set()
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self._port)
        self._port = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        """Hangs up on all listeners and answers nobody any more."""
        if self._server is not None:
            self._server.close()
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)

    def fall_silent(self) -> None:
        """Keeps all connections and sends nothing more on them, nor any answer."""
        self._sends.clear()

    def speak(self) -> None:
        """Goes on after a silence."""
        self._sends.set()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            path = head.split(b" ", 2)[1].decode()
            self.asked.append(path)
            await self._sends.wait()
            await self._answer(path, writer)
        except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass  # the listener went, or the station closes
        finally:
            self._tasks.discard(task)
            writer.transport.abort()

    async def _answer(self, path: str, writer: asyncio.StreamWriter) -> None:
        name, _, rest = path.lstrip("/").partition("?")
        kind = name.removeprefix("radio.")
        if name.startswith("radio.") and kind in _TYPES:
            writer.write(_head("200 OK", f"Content-Type: {_TYPES[kind]}", "icy-name: Simulated"))
            await self._play(_coded(kind), writer)
        elif name == "moved":
            writer.write(_head("302 Found", f"Location: {unquote(rest)}", "Content-Length: 0"))
            await _sent(writer)
        else:
            body = self._document(name, unquote(rest))
            status = "404 Not Found" if body is None else "200 OK"
            writer.write(_head(status, f"Content-Length: {len(body or b'')}") + (body or b""))
            await _sent(writer)

    def _document(self, name: str, rest: str) -> bytes | None:
        documents: dict[str, Callable[[], bytes]] = {
            "letter": lambda: b"<!doctype html><title>radio</title><p>" + b"No sound here. " * 1000,
            "list": lambda: _playlist(0, [rest] * 3),
            "hls/radio.m3u8": lambda: self._live_list("ts"),
            "hls/packed.m3u8": lambda: self._live_list("aac"),
        }
        if name in documents:
            return documents[name]()
        number, _, kind = name.removeprefix("hls/").partition(".")
        if not number.isdigit() or kind not in ("ts", "aac"):
            return None
        segments = _segments(kind == "ts")
        return segments[int(number) % len(segments)]

    def _live_list(self, kind: str) -> bytes:
        newest = _AHEAD_SEGMENTS + int((time.monotonic() - self._began) * 1000) // _SEGMENT_MS
        first = newest - _WINDOW + 1
        return _playlist(first, [f"{number}.{kind}" for number in range(first, newest + 1)])

    async def _play(self, coded: bytes, writer: asyncio.StreamWriter) -> None:
        """Bytes of the tune at its pace, without end."""
        bytes_per_s = len(coded) * 1000 / LENGTH_MS
        begin, sent = time.monotonic() - self._burst_s, 0
        while True:
            await self._sends.wait()
            due = int((time.monotonic() - begin) * bytes_per_s)
            while sent < due:
                piece = coded[sent % len(coded) :][: due - sent]
                writer.write(piece)
                sent += len(piece)
            await writer.drain()
            await asyncio.sleep(_STEP_S)


def mp3_frames() -> tuple[bytes, ...]:
    """The tune's MP3 frames."""
    data = _coded("mp3")
    return tuple(data[at : at + _MP3_FRAME_BYTES] for at in range(0, len(data), _MP3_FRAME_BYTES))


def adts_frames() -> tuple[bytes, ...]:
    """The tune's AAC frames, with the header of seven bytes that ADTS gives each."""
    data, at, frames = _coded("aac"), 0, []
    while at < len(data):
        size = (data[at + 3] & 3) << 11 | data[at + 4] << 3 | data[at + 5] >> 5
        frames.append(data[at : at + size])
        at += size
    return tuple(frames)


def _head(status: str, *lines: str) -> bytes:
    return "\r\n".join((f"HTTP/1.1 {status}", "Connection: close", *lines, "", "")).encode()


async def _sent(writer: asyncio.StreamWriter) -> None:
    await writer.drain()
    writer.write_eof()
    with contextlib.suppress(OSError):
        await asyncio.sleep(_STEP_S)


def _playlist(first: int, names: list[str]) -> bytes:
    lines = ["#EXTM3U", "#EXT-X-VERSION:3", "#EXT-X-TARGETDURATION:1", f"#EXT-X-MEDIA-SEQUENCE:{first}"]
    for name in names:
        lines += [f"#EXTINF:{_SEGMENT_MS / 1000:.3f},", name]
    return ("\n".join(lines) + "\n").encode()


@cache
def _coded(kind: str) -> bytes:
    """The tune as one file's bytes; MP3 and AAC may be repeated, Opus ends after LENGTH_MS."""
    with tempfile.TemporaryDirectory(prefix="radio-") as folder:
        if kind == "aac":
            return b"".join(_segments(False))
        data = encode(tune(), Path(folder) / f"tune.{kind}").read_bytes()
    return data[data.find(b"\xff\xfb") :] if kind == "mp3" else data


@cache
def _segments(transport_stream: bool) -> tuple[bytes, ...]:
    """The tune as AAC in segments of a second."""
    with tempfile.TemporaryDirectory(prefix="radio-") as folder:
        path = encode(tune(), Path(folder) / "tune.m4a")
        with av.open(str(path)) as source:
            stream = source.streams.audio[0]
            packets = [packet for packet in source.demux(stream) if packet.dts is not None]
            assert stream.time_base is not None
            per_segment = int(_SEGMENT_MS / 1000 / stream.time_base)
            groups: dict[int, list[av.Packet[AudioStream]]] = {}
            for packet in packets:
                groups.setdefault(max(0, packet.dts or 0) // per_segment, []).append(packet)
            return tuple(_muxed(group, stream, transport_stream) for _, group in sorted(groups.items()))


def _muxed(packets: list[av.Packet[AudioStream]], stream: AudioStream, transport_stream: bool) -> bytes:
    file = io.BytesIO()
    with av.open(file, "w", format="mpegts" if transport_stream else "adts") as out:
        copy = out.add_stream_from_template(stream)
        for packet in packets:
            packet.stream = copy
            out.mux(packet)
    return file.getvalue()


async def _stay() -> None:
    async with WebRadio(burst_ms=2_000) as radio:
        for path in ("radio.mp3", "radio.opus", "radio.aac", "hls/radio.m3u8", "hls/packed.m3u8"):
            print(radio.address(path), flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_stay())
