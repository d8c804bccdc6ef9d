"""Real sound files of every kind, made on the spot."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import av
import av.filter
from av.audio.resampler import AudioResampler

TONE = "0.3*sin(2*PI*440*t)*(0.5+0.5*sin(2*PI*3*t))+0.02*(random(0)-0.5)"
QUIET = "0.004*sin(2*PI*440*t)*(0.5+0.5*sin(2*PI*3*t))"
CLIPPED = "clip(6*sin(2*PI*220*t)*(0.5+0.5*sin(2*PI*2*t)),-1,1)"
PEAKY = "0.03*sin(2*PI*300*t)+if(lt(mod(t,0.5),0.002),0.9*sin(2*PI*2000*t),0)"
SILENT = "0"

KINDS: dict[str, tuple[str, str]] = {
    "mp3": ("libmp3lame", "mp3"),
    "opus": ("libopus", "ogg"),
    "ogg": ("vorbis", "ogg"),
    "m4a": ("aac", "mp4"),
    "wav": ("pcm_s16le", "wav"),
    "flac": ("flac", "flac"),
    "aac": ("aac", "adts"),
}


def make(
    path: Path, kind: str, *, wave: str = TONE, seconds: float = 2, rate: int = 48_000, layout: str = "mono"
) -> Path:
    """Writes a file of a kind with a formula's sound."""
    codec, container = KINDS[kind]
    with av.open(str(path), "w", format=container) as out:
        options = {"strict": "experimental"} if codec == "vorbis" else {}
        stream: Any = out.add_stream(codec, rate=rate, layout=layout, options=options)
        if codec == "vorbis":
            stream.codec_context.open()
        form = stream.format.name if stream.format else "s16"
        even = AudioResampler(form, layout, rate, frame_size=stream.codec_context.frame_size or 1024)
        for frame in [*_sound(wave, seconds, rate, layout), None]:
            for part in even.resample(frame):
                out.mux(stream.encode(part))
        out.mux(stream.encode(None))
    return path


def _sound(wave: str, seconds: float, rate: int, layout: str) -> list[Any]:
    graph = av.filter.Graph()
    source = graph.add("aevalsrc", f"exprs='{wave}':s={rate}:d={seconds}")
    form = graph.add("aformat", f"sample_fmts=flt:channel_layouts={layout}")
    sink = graph.add("abuffersink")
    source.link_to(form)
    form.link_to(sink)
    graph.configure()
    frames: list[Any] = []
    while True:
        try:
            frame: Any = sink.pull()
        except (av.EOFError, av.BlockingIOError):
            return frames
        frame.pts = None
        frames.append(frame)


def make_film(path: Path, *, seconds: int = 1) -> Path:
    """An mp4 with a picture and sound."""
    with av.open(str(path), "w", format="mp4") as out:
        picture: Any = out.add_stream("mpeg4", rate=10)
        picture.width, picture.height = 64, 64
        for _ in range(10 * seconds):
            out.mux(picture.encode(av.VideoFrame(64, 64, "yuv420p")))
        out.mux(picture.encode(None))
    return path


def png() -> bytes:
    """A picture of one dot."""
    return bytes.fromhex(
        "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c489"
        "0000000d49444154789c6360000002000001e221bc330000000049454e44ae426082"
    )
