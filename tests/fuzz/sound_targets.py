"""Sound from outside: uploads before and in the decoder, media on a device, packets of a live session."""

from __future__ import annotations

import asyncio
import contextlib
import resource
from collections.abc import Callable, Iterator
from functools import cache
from itertools import islice
from pathlib import Path

import av.logging

from controller.library.container import ends_in_the_middle, kind_of, reason_unreadable, tells_length
from controller.library.refusal import SoundRefusedError
from controller.library.sound import Decoding, decoded, opened
from edge.ports import FRAME_BYTES, MediaError
from simulators.player import OpusPacketDecoder, PyAvPlayer
from tests.controller.library.material import KINDS, make
from tests.fuzz.device_targets import folder
from tests.fuzz.mutation import FOREIGN
from tests.fuzz.target import Target

_MODULES = ("controller.library", "simulators.player")
_GROWTH_BYTES_MAX = 256 * 1024 * 1024
_FRAMES_MAX = 50 * 60
"""A minute: what a small file may claim to be is not what a test waits for."""


def container(data: bytes) -> None:
    """What a file is, told from its bytes, before any decoder sees it."""
    with folder() as directory:
        path = directory / "in"
        path.write_bytes(data)
        try:
            kind = kind_of(path)
        except SoundRefusedError:
            return
        tells_length(path, kind)
        ends_in_the_middle(path, kind)
        reason_unreadable(path, kind)


def upload(data: bytes) -> None:
    """The decoder of uploads, which has a process of its own: one that wants too much memory is ended and told."""
    av.logging.set_level(av.logging.PANIC)
    with folder() as directory:
        path = directory / "in"
        path.write_bytes(data)
        with (
            contextlib.suppress(SoundRefusedError, MemoryError),
            little_memory(),
            opened(path, kind_of(path)) as found,
        ):
            frames = decoded(found, Decoding()) if found.streams.audio else iter(())
            for _ in islice(frames, _FRAMES_MAX):
                pass


@contextlib.contextmanager
def little_memory() -> Iterator[None]:
    """The process may not grow much more, as the worker's may not."""
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    former = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (used + _GROWTH_BYTES_MAX, former[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, former)


def device_player(data: bytes) -> None:
    """The device's player, from the beginning and from the middle: frames of one length, or MediaError."""
    av.logging.set_level(av.logging.PANIC)
    with folder() as directory:
        path = directory / "medium"
        path.write_bytes(data)
        for offset_ms in (0, 1500):
            asyncio.run(_play(path, offset_ms))


async def _play(path: Path, offset_ms: int) -> None:
    try:
        source = await PyAvPlayer().open(path, offset_ms=offset_ms)
    except MediaError:
        return
    try:
        for _ in range(_FRAMES_MAX):
            frame = await source.read()
            if frame is None:
                return
            assert len(frame) == FRAME_BYTES
    except MediaError:
        return
    finally:
        await source.close()


def live_packets(data: bytes) -> None:
    """Packets of a live session in one decoder: 20 ms, or MediaError, and the next one is taken."""
    av.logging.set_level(av.logging.PANIC)
    decoder = OpusPacketDecoder()
    for at in range(0, len(data), 160):
        try:
            assert len(decoder.decode(data[at : at + 160])) == FRAME_BYTES
        except MediaError:
            continue


@cache
def _sounds() -> tuple[bytes, ...]:
    with folder() as directory:
        return tuple(make(directory / kind, kind, seconds=0.3, layout=_layout(kind)).read_bytes() for kind in KINDS)


def _layout(kind: str) -> str:
    return "stereo" if kind == "ogg" else "mono"


def _seeds() -> list[bytes]:
    magics = [
        b"ID3\x04\0\0\x7f\x7f\x7f\x7f",
        b"RIFF\xff\xff\xff\xffWAVEdata\xff\xff\xff\xff",
        b"#EXTM3U\nfile:///etc/passwd",
    ]
    return [*_sounds(), *magics, *FOREIGN]


def _media() -> list[bytes]:
    """What controllers make. A few bytes in the head of a WAV ask FFmpeg for a gigabyte: see the threat model."""
    named = dict(zip(KINDS, _sounds(), strict=True))
    return [
        named["opus"],
        named["ogg"],
        b"#EXTM3U\nfile:///etc/passwd",
        b"ffconcat version 1.0\nfile other\n",
        *FOREIGN,
    ]


def _packets() -> list[bytes]:
    opus = _sounds()[list(KINDS).index("opus")]
    return [opus[-480:], b"\xfc\xff\xfe" * 160, b"\x00" * 160]


def _of(run: Callable[[bytes], None], seeds: Callable[[], list[bytes]], runs: int, examples: int) -> Target:
    return Target(
        run,
        seeds,
        _MODULES,
        runs=runs,
        examples=examples,
        size_max=40_000,
        memory_kib_max=2 * _GROWTH_BYTES_MAX // 1024,
    )


TARGETS = {
    "container": _of(container, _seeds, 3_000, 60),
    "upload": _of(upload, _seeds, 300, 40),
    "device_player": _of(device_player, _media, 200, 30),
    "live_packets": _of(live_packets, _packets, 500, 40),
}
