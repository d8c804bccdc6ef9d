"""Opens Ogg Vorbis files with libvorbisfile, because libVLC 3.0.24 loses their first 33 ms.

Runs in the child process of `hardware.vlc_player`; the library is Debian's libvorbisfile3, reached through ctypes.
Source: vorbisfile.h and codec.h of version 1.3.7.
"""

from __future__ import annotations

import ctypes
import os
from pathlib import Path
from typing import Final

from hardware.errors import MediaError

_FILE_STRUCT_BYTES: Final = 4096
"""`OggVorbis_File` takes 944 bytes on 64-bit systems; nothing in it is touched here."""

_BUFFER_BYTES: Final = 16_384
_HOLE: Final = -3


class _Info(ctypes.Structure):
    """The beginning of `vorbis_info`."""

    _fields_ = (("version", ctypes.c_int), ("channels", ctypes.c_int), ("rate", ctypes.c_long))


class VorbisFile:
    """Implements `hardware.vlc_cut_wav.OpenSound`.

    Raises:
        MediaError: libvorbisfile is missing, or this is no Ogg Vorbis.
    """

    def __init__(self, path: Path) -> None:
        self._library = _library()
        self._file = ctypes.create_string_buffer(_FILE_STRUCT_BYTES)
        if self._library.ov_fopen(os.fsencode(path), self._file):
            raise MediaError("not an Ogg Vorbis file")
        info = self._library.ov_info(self._file, -1).contents
        self.channels, self.rate = info.channels, info.rate
        if not (0 < self.channels <= 8 and 1000 <= self.rate <= 384_000):
            raise MediaError("a kind of Vorbis that is not played")
        self.total = max(0, self._library.ov_pcm_total(self._file, -1))
        self._buffer = ctypes.create_string_buffer(_BUFFER_BYTES)
        self._link: int | None = None

    def seek(self, sample: int) -> None:
        """See `OpenSound`."""
        if sample and self._library.ov_pcm_seek(self._file, sample):
            raise MediaError("the place is not found in the Vorbis file")

    def read(self) -> bytes:
        """See `OpenSound`."""
        link = ctypes.c_int()
        while True:
            got: int = self._library.ov_read(self._file, self._buffer, _BUFFER_BYTES, 0, 2, 1, ctypes.byref(link))
            if got == _HOLE:
                continue
            if got < 0:
                raise MediaError(f"the Vorbis file is damaged ({got})")
            if got and self._link not in (None, link.value):
                info = self._library.ov_info(self._file, -1).contents
                if (info.channels, info.rate) != (self.channels, self.rate):
                    raise MediaError("the Vorbis file changes its rate")
            self._link = link.value
            return ctypes.string_at(self._buffer, got)


def _library() -> ctypes.CDLL:
    try:
        library = ctypes.CDLL("libvorbisfile.so.3")
    except OSError as error:
        raise MediaError("libvorbisfile is not installed (package libvorbisfile3)") from error
    library.ov_fopen.argtypes = [ctypes.c_char_p, ctypes.c_void_p]
    library.ov_info.restype = ctypes.POINTER(_Info)
    library.ov_info.argtypes = [ctypes.c_void_p, ctypes.c_int]
    library.ov_pcm_total.restype = ctypes.c_int64
    library.ov_pcm_total.argtypes = [ctypes.c_void_p, ctypes.c_int]
    library.ov_pcm_seek.argtypes = [ctypes.c_void_p, ctypes.c_int64]
    library.ov_read.restype = ctypes.c_long
    numbers = [ctypes.c_int] * 4
    library.ov_read.argtypes = [ctypes.c_void_p, ctypes.c_void_p, *numbers, ctypes.c_void_p]
    return library
