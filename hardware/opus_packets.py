"""Decodes the Opus packets of a live session, one by one, with libopus through ctypes.

Debian's libopus0 is all it takes; libVLC knows only whole files and streams. A packet comes from the network: its
size is bounded, its length is asked for before it touches the decoder's state, and the output buffer is of fixed
size, which libopus is told. Source: opus.h of version 1.3.1; RFC 6716.
"""

from __future__ import annotations

import ctypes
from functools import cache
from typing import Final

from hardware.errors import MediaError
from hardware.interfaces import FRAME_BYTES, FRAME_SAMPLES, SAMPLE_RATE

_PACKET_BYTES_MAX: Final = 4000
"""What opus.h recommends for the largest packet; one of 20 ms takes 1,275 bytes at most, padding aside."""


class OpusPacketDecoder:
    """Implements `hardware.interfaces.PacketDecoder`: mono, whatever the sender's channels.

    Raises:
        MediaError: libopus is missing.
    """

    def __init__(self) -> None:
        self._decoder: int | None = None
        self._library = _library()
        fault = ctypes.c_int()
        self._decoder = self._library.opus_decoder_create(SAMPLE_RATE, 1, ctypes.byref(fault))
        if not self._decoder:
            raise MediaError(f"libopus gives no decoder ({fault.value})")
        self._frame = ctypes.create_string_buffer(FRAME_BYTES)

    def decode(self, packet: bytes) -> bytes:
        """See `hardware.interfaces.PacketDecoder`."""
        if not 0 < len(packet) <= _PACKET_BYTES_MAX:
            raise MediaError(f"an Opus packet of {len(packet)} bytes")
        samples = self._library.opus_packet_get_nb_samples(packet, len(packet), SAMPLE_RATE)
        if samples < 0:
            raise MediaError("not an Opus packet")
        if samples != FRAME_SAMPLES:
            raise MediaError(f"a live packet holds {samples} samples instead of 20 ms")
        got = self._library.opus_decode(self._decoder, packet, len(packet), self._frame, FRAME_SAMPLES, 0)
        if got != FRAME_SAMPLES:
            raise MediaError(f"not an Opus packet ({got})")
        return self._frame.raw

    def __del__(self) -> None:
        if self._decoder:
            self._library.opus_decoder_destroy(self._decoder)


@cache
def _library() -> ctypes.CDLL:
    try:
        library = ctypes.CDLL("libopus.so.0")
    except OSError as error:
        raise MediaError("libopus is not installed (package libopus0)") from error
    library.opus_decoder_create.restype = ctypes.c_void_p
    library.opus_decoder_create.argtypes = [ctypes.c_int32, ctypes.c_int, ctypes.c_void_p]
    library.opus_decoder_destroy.restype = None
    library.opus_decoder_destroy.argtypes = [ctypes.c_void_p]
    library.opus_packet_get_nb_samples.argtypes = [ctypes.c_char_p, ctypes.c_int32, ctypes.c_int32]
    packet, frame = (ctypes.c_char_p, ctypes.c_int32), (ctypes.c_void_p, ctypes.c_int)
    library.opus_decode.argtypes = [ctypes.c_void_p, *packet, *frame, ctypes.c_int]
    return library
