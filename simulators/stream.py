"""Plays web radio with PyAV: FFmpeg reads in a thread of its own, its frames are given out at their pace."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from typing import Final
from urllib.parse import urlsplit

import av

from edge.ports import FRAME_BYTES, SAMPLE_RATE, MediaError, SoundSource
from hardware.live_pace import LivePace

_SCHEMES: Final = ("http", "https", "rtsp", "rtp")
_ANSWER_S: Final = 9.0
_SILENT_S: Final = 2.0
_HLS_SILENT_S: Final = 6.0
"""FFmpeg waits for the next segment inside one read."""

_AHEAD_FRAMES: Final = 150
_GATHER_FRAMES: Final = 100
_CLOSE_S: Final = 5.0
_OPTIONS: Final = {
    "protocol_whitelist": "http,https,tcp,tls,hls,crypto,rtp,rtsp,udp",
    "format_whitelist": "mp3,aac,ogg,wav,flac,mpegts,hls,rtsp,rtp,sdp",
    "http_persistent": "0",
    "rtsp_transport": "tcp",
    "probesize": "16384",
    "analyzeduration": "500000",
}


async def open_stream(address: str) -> SoundSource:
    """See `edge.ports.Player`."""
    if urlsplit(address).scheme not in _SCHEMES:
        raise MediaError("not an address of a stream")
    stream = LivePace(_AvStream(address), gather_frames=_GATHER_FRAMES)
    try:
        await stream.prime()
    except BaseException:
        await stream.close()
        raise
    return stream


class _AvStream:
    """Implements `hardware.live_pace.ReadAhead`."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._loop = asyncio.get_running_loop()
        self._frames: deque[bytes] = deque()
        self._news = asyncio.Event()
        self._room = threading.Semaphore(_AHEAD_FRAMES)
        self._closing = False
        self._failure: MediaError | None = None
        self.finished = False
        self._done = asyncio.Event()
        self._thread = threading.Thread(target=self._run, name="stream", daemon=True)
        self._thread.start()

    @property
    def held_frames(self) -> int:
        """See `ReadAhead`."""
        return len(self._frames)

    async def gathered(self, frames: int) -> None:
        """See `ReadAhead`."""
        while len(self._frames) < frames and not self.finished:
            self._news.clear()
            await self._news.wait()
        if not self._frames:
            raise self._failure or MediaError("a stream without sound")

    async def read(self) -> bytes | None:
        """See `edge.ports.SoundSource`."""
        while not self._frames and not self.finished:
            self._news.clear()
            await self._news.wait()
        if self._frames:
            self._room.release()
            return self._frames.popleft()
        if self._failure is not None:
            raise self._failure
        return None

    async def close(self) -> None:
        """See `edge.ports.SoundSource`."""
        self._closing = True
        self._room.release()
        async with asyncio.timeout(_ANSWER_S + _CLOSE_S):
            await self._done.wait()

    def _run(self) -> None:
        failure: MediaError | None = None
        try:
            self._play()
        except (av.FFmpegError, ValueError, OSError, IndexError) as error:
            failure = MediaError(f"the stream broke off: {type(error).__name__}")
        self._loop.call_soon_threadsafe(self._end, failure)

    def _play(self) -> None:
        silent_s = _HLS_SILENT_S if urlsplit(self._address).path.endswith(".m3u8") else _SILENT_S
        held = b""
        with av.open(
            self._address, options=_OPTIONS, timeout=(_ANSWER_S, silent_s), metadata_errors="ignore"
        ) as source:
            resampler = av.AudioResampler(format="s16", layout="mono", rate=SAMPLE_RATE)
            for frame in source.decode(source.streams.audio[0]):
                for out in resampler.resample(frame):
                    held += bytes(out.planes[0])[: out.samples * 2]
                while len(held) >= FRAME_BYTES:
                    self._room.acquire()
                    if self._closing:
                        return
                    self._loop.call_soon_threadsafe(self._keep, held[:FRAME_BYTES])
                    held = held[FRAME_BYTES:]

    def _keep(self, frame: bytes) -> None:
        self._frames.append(frame)
        self._news.set()

    def _end(self, failure: MediaError | None) -> None:
        self._failure = failure
        self.finished = True
        self._news.set()
        self._done.set()
