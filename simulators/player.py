"""Decodes files with PyAV, whose wheels carry FFmpeg: nothing to install by hand.

Decoding runs in a thread, half a second at a time and ahead of the reader, so the event loop never waits for it.
After a jump into a file a moment is decoded and thrown away: Opus, MP3 and AAC need it before their sound is right.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Final, TypeVar

import av
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream

from edge.ports import FRAME_BYTES, SAMPLE_RATE, MediaError, SoundSource

T = TypeVar("T")
_CHUNK_FRAMES: Final = 25
_PREROLL_MS: Final = 1000
_ONE_FILE: Final = {"format_whitelist": "ogg,mp3,mov,wav,flac,aac", "protocol_whitelist": "file"}
"""A playlist is sound to FFmpeg, and what it names was never signed: only what holds its own sound is read."""

_AV_ERRORS: Final = (av.FFmpegError, ValueError, OSError)


class PyAvPlayer:
    """Implements `edge.ports.Player`."""

    async def open(self, media: Path, *, offset_ms: int = 0) -> SoundSource:
        """See `edge.ports.Player`."""
        source = _PyAvSource(await _in_thread(lambda: _Decoding(media, offset_ms)))
        try:
            await source.prime()
        except BaseException:
            await source.close()
            raise
        return source

    async def open_stream(self, address: str) -> SoundSource:
        """See `edge.ports.Player`."""
        from simulators.stream import open_stream

        return await open_stream(address)

    def packet_decoder(self) -> OpusPacketDecoder:
        """See `edge.ports.Player`."""
        return OpusPacketDecoder()


class OpusPacketDecoder:
    """Implements `edge.ports.PacketDecoder`."""

    def __init__(self) -> None:
        self._codec = av.AudioCodecContext.create("libopus", "r")
        self._codec.sample_rate = SAMPLE_RATE
        self._codec.layout = "mono"
        self._resampler = _resampler()

    def decode(self, packet: bytes) -> bytes:
        """See `edge.ports.PacketDecoder`."""
        if not packet:  # to the codec this would be the end of the stream
            raise MediaError("an Opus packet is empty")
        try:
            decoded = self._codec.decode(av.Packet(packet))
            sound = b"".join(_samples(out) for frame in decoded for out in self._resampler.resample(frame))
        except _AV_ERRORS as error:
            raise MediaError("not an Opus packet") from error
        if len(sound) != FRAME_BYTES:
            raise MediaError(f"a live packet holds {len(sound) // 2} samples instead of 20 ms")
        return sound


class _PyAvSource:
    """Frames of a file, a chunk ahead."""

    def __init__(self, decoding: _Decoding) -> None:
        self._decoding = decoding
        self._frames: deque[bytes] = deque()
        self._chunk: asyncio.Task[list[bytes]] | None = None
        self._ended = False

    async def prime(self) -> None:
        """Decodes the first chunk. Raises MediaError when there is none."""
        await self._next_chunk()
        if not self._frames:
            raise MediaError("nothing is left at this offset")

    async def read(self) -> bytes | None:
        """See `edge.ports.SoundSource`."""
        if not self._frames and not self._ended:
            await self._next_chunk()
        if len(self._frames) <= _CHUNK_FRAMES and not self._ended:
            self._ask()
        return self._frames.popleft() if self._frames else None

    async def close(self) -> None:
        """See `edge.ports.SoundSource`."""
        self._ended = True
        self._frames.clear()
        if self._chunk is not None:
            await asyncio.wait([self._chunk])
            self._chunk.exception()
        self._decoding.close()

    def _ask(self) -> asyncio.Task[list[bytes]]:
        if self._chunk is None:
            self._chunk = asyncio.create_task(_in_thread(self._decoding.chunk), name="decode")
        return self._chunk

    async def _next_chunk(self) -> None:
        # A reader that is cancelled must not cancel the thread's work: the container is in use until it returns.
        chunk = await asyncio.shield(self._ask())
        self._chunk = None
        self._frames.extend(chunk)
        self._ended = len(chunk) < _CHUNK_FRAMES


class _Decoding:
    """The file itself; all of it runs in a thread, one call at a time.

    Raises:
        MediaError: from every method, when the file is not sound or is damaged.
    """

    def __init__(self, media: Path, offset_ms: int) -> None:
        try:
            self._container = av.open(str(media), options=_ONE_FILE, metadata_errors="ignore")
        except _AV_ERRORS as error:
            raise MediaError(f"{media.name} is not sound") from error
        try:
            self._frames = self._cut(self._sound(media, offset_ms))
        except BaseException:
            self._container.close()
            raise

    def chunk(self) -> list[bytes]:
        """The next frames; fewer than _CHUNK_FRAMES only at the end."""
        try:
            return list(islice(self._frames, _CHUNK_FRAMES))
        except _AV_ERRORS as error:
            raise MediaError("the sound breaks off") from error

    def close(self) -> None:
        """Lets go of the file."""
        self._container.close()

    def _sound(self, media: Path, offset_ms: int) -> Iterator[bytes]:
        """Samples from the offset on, in pieces of any length."""
        if not self._container.streams.audio:
            raise MediaError(f"{media.name} has no sound in it")
        stream = self._container.streams.audio[0]
        return self._from(stream, offset_ms)

    def _from(self, stream: AudioStream, offset_ms: int) -> Iterator[bytes]:
        wanted = offset_ms * SAMPLE_RATE // 1000
        position: int | None = None
        for frame, sample in self._resampled(stream, offset_ms):
            position = sample if position is None else position
            sound = _samples(frame)
            late = max(0, wanted - position)
            position += len(sound) // 2
            yield sound[late * 2 :]

    def _resampled(self, stream: AudioStream, offset_ms: int) -> Iterator[tuple[AudioFrame, int]]:
        resampler = _resampler()
        origin, decoded = self._decoded(stream, offset_ms)
        for frame in decoded:
            start = round(((frame.time or 0.0) - origin) * SAMPLE_RATE)
            for out in resampler.resample(frame):
                yield out, start
        for out in resampler.resample(None):
            yield out, 0

    def _decoded(self, stream: AudioStream, offset_ms: int) -> tuple[float, Iterator[AudioFrame]]:
        """Time of the file's first sample, and the frames from a little before the offset on."""
        frames = self._container.decode(stream)
        first = next(frames, None)
        if first is None:
            return 0.0, iter(())
        origin = first.time or 0.0
        if offset_ms <= _PREROLL_MS:
            return origin, _chain(first, frames)
        target_s = origin + (offset_ms - _PREROLL_MS) / 1000
        assert stream.time_base is not None
        self._container.seek(int(target_s / stream.time_base), stream=stream)
        return origin, self._container.decode(stream)

    @staticmethod
    def _cut(sound: Iterator[bytes]) -> Iterator[bytes]:
        held = b""
        for piece in sound:
            held += piece
            whole = len(held) - len(held) % FRAME_BYTES
            for at in range(0, whole, FRAME_BYTES):
                yield held[at : at + FRAME_BYTES]
            held = held[whole:]
        if held:
            yield held.ljust(FRAME_BYTES, b"\0")


def _resampler() -> av.AudioResampler:
    return av.AudioResampler(format="s16", layout="mono", rate=SAMPLE_RATE)


def _samples(frame: AudioFrame) -> bytes:
    return bytes(frame.planes[0])[: frame.samples * 2]


def _chain(first: AudioFrame, rest: Iterator[AudioFrame]) -> Iterator[AudioFrame]:
    yield first
    yield from rest


async def _in_thread(work: Callable[[], T]) -> T:
    return await asyncio.get_running_loop().run_in_executor(None, work)
