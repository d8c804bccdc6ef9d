"""Opens Ogg Opus files with libopusfile, because libVLC 3.0.24 loses their first 73 ms and seeks past the sample.

Runs in the child process of `hardware.vlc_player`; the library is Debian's libopusfile0, reached through ctypes.
Source: opusfile.h of version 0.12.
"""

from __future__ import annotations

import ctypes
import os
from pathlib import Path
from typing import Final

from hardware.errors import MediaError
from hardware.interfaces import SAMPLE_RATE

_BUFFER_SAMPLES: Final = 5760 * 2
_HOLE: Final = -3


class OpusFile:
    """Implements `hardware.vlc_cut_wav.OpenSound`: always two channels, also of mono or surround.

    Raises:
        MediaError: libopusfile is missing, or this is no Ogg Opus.
    """

    rate = SAMPLE_RATE
    channels = 2

    def __init__(self, path: Path) -> None:
        self._library = _library()
        fault = ctypes.c_int()
        self._file = self._library.op_open_file(os.fsencode(path), ctypes.byref(fault))
        if not self._file:
            raise MediaError(f"not an Ogg Opus file ({fault.value})")
        # Noise shaping would make two decodings of one file differ.
        self._library.op_set_dither_enabled(self._file, 0)
        self.total = self._library.op_pcm_total(self._file, -1)
        self._buffer = ctypes.create_string_buffer(_BUFFER_SAMPLES * 2)

    def seek(self, sample: int) -> None:
        """See `OpenSound`."""
        if sample and self._library.op_pcm_seek(self._file, sample):
            raise MediaError("the place is not found in the Opus file")

    def read(self) -> bytes:
        """See `OpenSound`."""
        while True:
            got: int = self._library.op_read_stereo(self._file, self._buffer, _BUFFER_SAMPLES)
            if got >= 0:
                return ctypes.string_at(self._buffer, got * 4)
            if got != _HOLE:  # after a hole in the pages the next read goes on behind it
                raise MediaError(f"the Opus file is damaged ({got})")


def _library() -> ctypes.CDLL:
    try:
        library = ctypes.CDLL("libopusfile.so.0")
    except OSError as error:
        raise MediaError("libopusfile is not installed (package libopusfile0)") from error
    library.op_open_file.restype = ctypes.c_void_p
    library.op_open_file.argtypes = [ctypes.c_char_p, ctypes.c_void_p]
    library.op_set_dither_enabled.argtypes = [ctypes.c_void_p, ctypes.c_int]
    library.op_pcm_total.restype = ctypes.c_int64
    library.op_pcm_total.argtypes = [ctypes.c_void_p, ctypes.c_int]
    library.op_pcm_seek.argtypes = [ctypes.c_void_p, ctypes.c_int64]
    library.op_read_stereo.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int]
    return library
