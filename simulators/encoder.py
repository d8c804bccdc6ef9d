"""Writes samples into the file formats people bring, for tests and stories."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import av
from av.audio.stream import AudioStream

from edge.ports import SAMPLE_RATE

_CODECS: Final = {
    ".opus": "libopus",
    ".ogg": "libopus",
    ".mp3": "libmp3lame",
    ".m4a": "aac",
    ".wav": "pcm_s16le",
    ".flac": "flac",
}
_BIT_RATES: Final = {"libopus": 32_000, "libmp3lame": 128_000, "aac": 128_000}
_PIECE_SAMPLES: Final = 960


def encode(samples: bytes, path: Path, *, rate: int = SAMPLE_RATE) -> Path:
    """Encodes mono 16-bit samples in the format that the file's suffix names; returns the path."""
    codec = _CODECS[path.suffix]
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=rate, layout="mono")
        assert isinstance(stream, AudioStream)
        if codec in _BIT_RATES:
            stream.bit_rate = _BIT_RATES[codec]
        for begin in range(0, len(samples) // 2, _PIECE_SAMPLES):
            piece = samples[begin * 2 : (begin + _PIECE_SAMPLES) * 2]
            container.mux(stream.encode(_frame(piece, rate, begin)))
        container.mux(stream.encode(None))
    return path


def opus_packets(samples: bytes) -> tuple[bytes, ...]:
    """Raw Opus packets of 20 ms, as a live session sends them."""
    codec = av.AudioCodecContext.create("libopus", "w")
    codec.sample_rate, codec.layout, codec.format = SAMPLE_RATE, "mono", "s16"
    codec.bit_rate = _BIT_RATES["libopus"]
    starts = range(0, len(samples) // 2 - _PIECE_SAMPLES + 1, _PIECE_SAMPLES)
    pieces = (_frame(samples[at * 2 : (at + _PIECE_SAMPLES) * 2], SAMPLE_RATE, at) for at in starts)
    return tuple(bytes(packet) for piece in pieces for packet in codec.encode(piece))


def _frame(samples: bytes, rate: int, begin: int) -> av.AudioFrame:
    frame = av.AudioFrame(format="s16", layout="mono", samples=len(samples) // 2)
    frame.sample_rate, frame.pts = rate, begin
    plane = frame.planes[0]
    plane.update(samples.ljust(plane.buffer_size, b"\0"))
    return frame
