"""Sound as a stream of frames: decoding, filtering, measuring and encoding, never more than a frame in memory.

Everything in between is 48 kHz mono floating point, so nothing clips on the way.
"""

from __future__ import annotations

import contextlib
import math
from array import array
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

import av
import av.filter
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler

from controller.library.container import reason_unreadable
from controller.library.refusal import SoundRefusedError

SAMPLE_RATE: Final = 48_000
BIT_RATE: Final = 32_000
OPUS_FRAME_SAMPLES: Final = 960
UNMEASURABLE_LUFS: Final = -70.0

Filters = tuple[tuple[str, str], ...]
Report = Callable[[float], None]
"""Told how many seconds of sound are done."""

_DAMAGED_PACKETS_MAX: Final = 3
_DAMAGED_SHARE_MAX: Final = 0.02


@dataclass(slots=True)
class Decoding:
    """What was met while a file was decoded."""

    packets: int = 0
    damaged: int = 0
    damaged_at_end: bool = False

    @property
    def broken(self) -> bool:
        """More damage than the odd frame that every player passes over."""
        return self.damaged > _DAMAGED_PACKETS_MAX and self.damaged > self.packets * _DAMAGED_SHARE_MAX


@contextlib.contextmanager
def opened(path: Path, kind: str) -> Iterator[av.container.InputContainer]:
    """The file, read as this kind and no other.

    Raises:
        SoundRefusedError: the decoder finds no sound in it.
    """
    try:
        # A file may name others to read; only this one may be.
        container = av.open(str(path), format=kind, options={"protocol_whitelist": "file"}, metadata_errors="replace")
    except (av.FFmpegError, ValueError, UnicodeError, MemoryError) as error:
        raise SoundRefusedError(reason_unreadable(path, kind), looks_like="unknown", seconds=0) from error
    with container:
        yield container


def decoded(container: av.container.InputContainer, met: Decoding) -> Iterator[AudioFrame]:
    """All frames of the first sound in a file, as 48 kHz mono; damaged packets are counted and passed over."""
    stream = container.streams.audio[0]
    mono = _ToMono()
    for packet in _packets(container, stream, met):
        met.packets += 1
        try:
            frames = packet.decode()
            made = [part for frame in frames for part in mono.of(frame)]
        except (av.FFmpegError, ValueError):  # also a hundred channels, which nothing mixes to one
            met.damaged += 1
            met.damaged_at_end = True
            continue
        met.damaged_at_end = met.damaged_at_end and not frames
        yield from made
    yield from _rest(mono, met)


def _rest(mono: _ToMono, met: Decoding) -> list[AudioFrame]:
    try:
        return mono.of(None)
    except (av.FFmpegError, ValueError):
        met.damaged_at_end = True
        return []


def _packets(container: Any, stream: Any, met: Decoding) -> Iterator[Any]:
    packets = container.demux(stream)
    while True:
        try:
            yield next(packets)
        except StopIteration:
            return
        except (av.FFmpegError, ValueError):
            met.damaged_at_end = True
            return


class _ToMono:
    """Resamples whatever comes, also when a stream changes its format on the way."""

    def __init__(self) -> None:
        self._format: tuple[str, str, int] | None = None
        self._resampler: AudioResampler | None = None

    def of(self, frame: AudioFrame | None) -> list[AudioFrame]:
        made: list[AudioFrame] = []
        form = (frame.format.name, frame.layout.name, frame.sample_rate) if frame else None
        if form != self._format and self._resampler is not None:
            made = self._resampler.resample(None)
            self._resampler = None
        self._format = form
        if frame is None:
            return made
        if self._resampler is None:
            self._resampler = AudioResampler("flt", "mono", SAMPLE_RATE)
        frame.pts = None
        return made + self._resampler.resample(frame)


def filtered(frames: Iterable[AudioFrame], filters: Filters) -> Iterator[AudioFrame]:
    """Frames through a chain of libavfilter filters; out they come as 48 kHz mono floating point again."""
    graph = av.filter.Graph()
    source = last = graph.add_abuffer(
        sample_rate=SAMPLE_RATE, format="flt", layout="mono", time_base=Fraction(1, SAMPLE_RATE)
    )
    for name, arguments in (*filters, ("aformat", "sample_fmts=flt:channel_layouts=mono"), ("abuffersink", None)):
        node = graph.add(name, arguments)
        last.link_to(node)
        last = node
    graph.configure()
    for frame in _then_none(frames):
        source.push(frame)
        yield from _pulled(last)


def _then_none(frames: Iterable[AudioFrame]) -> Iterator[AudioFrame | None]:
    yield from frames
    yield None


def _pulled(sink: Any) -> Iterator[AudioFrame]:
    while True:
        try:
            yield sink.pull()
        except (av.BlockingIOError, av.EOFError):
            return


@dataclass(frozen=True, slots=True)
class Loudness:
    """How loud some sound is, by EBU R 128.

    Attributes:
        integrated_lufs: programme loudness; UNMEASURABLE_LUFS when nothing passes the gate.
        true_peak_db: highest value between the samples, in dBTP.
        samples: how many there were, at 48 kHz.
    """

    integrated_lufs: float
    true_peak_db: float
    samples: int

    @property
    def duration_ms(self) -> int:
        """Length, rounded down."""
        return self.samples * 1000 // SAMPLE_RATE


def measured(frames: Iterable[AudioFrame], report: Report) -> Loudness:
    """Listens to all of it (BS.1770, four-fold oversampled peaks)."""
    samples = 0
    last: dict[str, str] = {}
    for frame in filtered(frames, (("ebur128", "metadata=1:peak=true:framelog=quiet"),)):
        samples += frame.samples
        last = frame.metadata or last
        report(samples / SAMPLE_RATE)
    peak = float(last.get("lavfi.r128.true_peak", 0))
    loudness = float(last.get("lavfi.r128.I", UNMEASURABLE_LUFS))
    return Loudness(
        integrated_lufs=max(loudness, UNMEASURABLE_LUFS) if math.isfinite(loudness) else UNMEASURABLE_LUFS,
        true_peak_db=20 * math.log10(max(peak, 1e-5)),
        samples=samples,
    )


def encode_opus(frames: Iterable[AudioFrame], target: Path, *, owner: str, report: Report) -> array[int]:
    """Writes Ogg Opus, 32 kbit/s mono. The same frames and owner give the same bytes.

    Args:
        owner: goes into the comment header: the same sound in two units is two media, so none leaks to the other.

    Returns:
        The highest sample of every 20 ms, 0 to 32,767: the waveform.

    Raises:
        OSError: the disk is full.
    """
    options = {"application": "audio", "compression_level": "8", "flags": "+bitexact"}
    samples = 0
    highest = array("H")
    with av.open(str(target), "w", format="ogg", options={"fflags": "+bitexact"}) as out:
        out.metadata["publisher"] = owner
        stream = out.add_stream("libopus", rate=SAMPLE_RATE, layout="mono", options=options)
        stream.bit_rate = BIT_RATE
        even = AudioResampler("s16", "mono", SAMPLE_RATE, frame_size=OPUS_FRAME_SAMPLES)
        for frame in _then_none(frames):
            for part in even.resample(frame):
                part.pts, part.time_base = samples, Fraction(1, SAMPLE_RATE)
                samples += part.samples
                highest.append(_highest(part))
                out.mux(stream.encode(part))
            report(samples / SAMPLE_RATE)
        out.mux(stream.encode(None))
    return highest


def _highest(frame: AudioFrame) -> int:
    samples = array("h", bytes(frame.planes[0])[: frame.samples * 2])
    return min(max(max(samples), -min(samples)), 32_767) if samples else 0
