"""libVLC as a decoder: bytes in, samples at 48 kHz mono out, as fast as they are taken. Only for the child process.

libVLC opens nothing itself here, neither file nor address: it asks a callback for bytes, and which demuxer reads them
is told. It gives the samples through its memory output (`smem`) without keeping time, so whoever takes the samples
sets the pace, and nothing is dropped, stretched or resampled to follow a clock.
"""

from __future__ import annotations

import ctypes
import threading
from collections.abc import Callable, Iterator
from typing import Any, Final

_OPTIONS: Final = (
    "--quiet",
    "--ignore-config",
    "--intf=dummy",
    "--no-video",
    "--no-spu",
    "--no-osd",
    "--no-stats",
    "--no-lua",
    "--no-auto-preparse",
    "--no-metadata-network-access",
    "--codec=avcodec",  # others drop or add a frame: mpg123 trims by itself, faad swallows the first
    "--prefetch-buffer-size=64",  # KiB; with the next, in bytes, or 16 MiB are read ahead: minutes of WAV
    "--prefetch-read-size=16384",
    "--audio-resampler=soxr",  # the default repeats samples, speex shifts them by 40
)
_BLOCK_BYTES_MAX: Final = 1 << 20
_FAULT: Final = -1

_PRERENDER: Final = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.POINTER(ctypes.c_void_p), ctypes.c_size_t)
_POSTRENDER: Final = ctypes.CFUNCTYPE(
    None, ctypes.c_void_p, ctypes.c_void_p, *[ctypes.c_uint] * 4, ctypes.c_size_t, ctypes.c_int64
)
_OPEN: Final = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.c_void_p, ctypes.POINTER(ctypes.c_void_p), ctypes.POINTER(ctypes.c_uint64)
)
_READ: Final = ctypes.CFUNCTYPE(ctypes.c_ssize_t, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_size_t)
_CLOSE: Final = ctypes.CFUNCTYPE(None, ctypes.c_void_p)


class VlcDecoder:
    """Decodes one sound.

    Args:
        pieces: bytes of the sound, asked for in a thread of libVLC; may block. What it raises is kept in `failure`.
        demux: libVLC's name of the demuxer.
        take: is given samples in a thread of libVLC, and may block; False ends the decoding.
    """

    def __init__(self, pieces: Iterator[bytes], demux: str, take: Callable[[bytes], bool]) -> None:
        self._pieces, self._take = pieces, take
        self._demux = demux
        self._held = b""
        self._over = threading.Event()
        self._block = ctypes.create_string_buffer(_BLOCK_BYTES_MAX)
        self.failure: BaseException | None = None
        self._callbacks: tuple[Any, ...] = ()

    def run(self) -> None:
        """Returns when all was decoded, `take` had enough, or libVLC gave up."""
        import vlc

        instance = vlc.Instance(list(_OPTIONS))
        player = instance.media_player_new()
        player.set_media(self._media(vlc, instance))
        events = player.event_manager()
        for name in (vlc.EventType.MediaPlayerEndReached, vlc.EventType.MediaPlayerEncounteredError):
            events.event_attach(name, lambda _event: self._over.set())
        player.play()
        self._over.wait()

    def _media(self, vlc: Any, instance: Any) -> Any:
        self._callbacks = (
            _OPEN(self._open),
            _READ(self._read),
            _CLOSE(lambda _opaque: None),
            _PRERENDER(self._lend),
            _POSTRENDER(self._give),
        )
        opening, reading, closing, lending, giving = self._callbacks
        media = vlc.libvlc_media_new_callbacks(
            instance,
            ctypes.cast(opening, vlc.MediaOpenCb),
            ctypes.cast(reading, vlc.MediaReadCb),
            None,
            ctypes.cast(closing, vlc.MediaCloseCb),
            None,
        )
        memory = f"audio-prerender-callback={_address(lending)},audio-postrender-callback={_address(giving)}"
        bus = "transcode{vcodec=none,scodec=none,acodec=s16l,samplerate=48000,channels=1}"
        for option in (f"sout=#{bus}:smem{{{memory},no-time-sync}}", f"demux={self._demux}"):
            media.add_option(":" + option)
        return media

    def _open(self, _opaque: int | None, _data: Any, size: Any) -> int:
        size[0] = (1 << 64) - 1
        return 0

    def _read(self, _opaque: int | None, buffer: int, size: int) -> int:
        try:
            while not self._held:
                self._held = next(self._pieces)
        except StopIteration:
            return 0
        except BaseException as error:
            self.failure = error
            return 0
        piece, self._held = self._held[:size], self._held[size:]
        ctypes.memmove(buffer, piece, len(piece))
        return len(piece)

    def _lend(self, _opaque: int | None, buffer: Any, size: int) -> None:
        if size > _BLOCK_BYTES_MAX:
            self._block = ctypes.create_string_buffer(size)
        buffer[0] = ctypes.addressof(self._block)

    def _give(self, _opaque: int | None, buffer: int, *rest: int) -> None:
        size = rest[4]
        if not self._over.is_set() and not self._take(ctypes.string_at(buffer, size)):
            self._over.set()


def _address(callback: Any) -> int:
    return ctypes.cast(callback, ctypes.c_void_p).value or 0
