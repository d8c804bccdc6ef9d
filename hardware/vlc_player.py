"""Plays files and streams with libVLC 3, in a child process, exact to the sample.

The child keeps the agent alive when libVLC crashes, and small when nothing plays; it ends when its sound is closed.
Samples come through a pipe, whose filling is all that paces the child. One that gives nothing for 1.5 s is replaced
by another that goes on at the very sample; 2.5 s are held ahead, so a listener does not hear it.

libVLC is given bytes and asked for samples, nothing else, because of what was measured with 3.0.24 (Debian 12), six
seconds of a known melody, and the place of its first second in what came out, which should be 1000 ms:

    asked to open the file itself             Opus 926.5  Vorbis 966.7  MP3 976.0   M4A 978.7   WAV, FLAC 1000
    the same with its avformat and avcodec    Opus 986.5                MP3 999.0   M4A 1000
    and the end                               the last block of 20 to 96 ms is missing, but for MP3 and M4A
    sought to 0.040 s                         M4A lands at 0, MP3 on a frame, FLAC at 0.192 s, Vorbis at its beginning
    to 48 kHz by its own choice, speex, soxr  samples repeated; 40 samples late; exact
    whole frames given, avcodec, soxr         all 1000.0 and not a sample lost (`hardware.vlc_cut`)
    its audio callbacks                       come at the pace of its own clock, which is not the card's
    its memory output without a clock         comes as it is taken, up to 375 times faster than it sounds (MP3)

Opus and Vorbis are read by the codecs' own libraries, RTSP by ours, since Debian builds libVLC without it; what comes
out of them goes through libVLC like a WAV file, to be mixed and brought to 48 kHz.

While it plays (a virtual machine, 48 kHz mono) the child takes 44 to 47 MB, 16 to 18 of them its own, and 0.1 to
0.8 % of a core, the reader 0.8 %; from `open` to the first frame it takes 100 to 150 ms. Without the list of plug-ins
that the package libvlc-bin makes, it is 20 MB and 60 ms more.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from hardware.errors import MediaError
from hardware.interfaces import SAMPLE_RATE
from hardware.live_pace import LivePace
from hardware.opus_packets import OpusPacketDecoder
from hardware.vlc_source import Patience, VlcSource

_ADDRESS_CHARS_MAX: Final = 2000
_SCHEMES: Final = ("http", "https", "rtsp", "rtp")
_FILE_PATIENCE: Final = Patience(first_s=5.0, later_s=1.5, ahead_frames=125)
_STREAM_PATIENCE: Final = Patience(first_s=10.0, later_s=2.0, ahead_frames=100)
_GATHER_FRAMES: Final = 75


class VlcPlayer:
    """Implements `hardware.interfaces.Player`.

    Args:
        file_patience: with a child that plays a file; a computer many times slower than a board needs more.
    """

    def __init__(self, *, file_patience: Patience = _FILE_PATIENCE) -> None:
        self._file_patience = file_patience

    async def open(self, media: Path, *, offset_ms: int = 0) -> VlcSource:
        """See `hardware.interfaces.Player`."""
        begin = offset_ms * SAMPLE_RATE // 1000

        def job(given: int) -> dict[str, object]:
            return {"file": str(media), "offset_samples": begin + given}

        source = VlcSource(media.name, job, self._file_patience)
        try:
            await source.gathered(1)
        except BaseException:
            await source.close()
            raise
        return source

    async def open_stream(self, address: str) -> LivePace:
        """See `hardware.interfaces.Player`."""
        parts = urlsplit(address)
        if len(address) > _ADDRESS_CHARS_MAX or parts.scheme not in _SCHEMES or not parts.netloc:
            raise MediaError("not an address of a stream")
        source = VlcSource(f"a stream of {parts.hostname}", lambda _given: {"address": address}, _STREAM_PATIENCE)
        stream = LivePace(source, gather_frames=_GATHER_FRAMES)
        try:
            await stream.prime()
        except BaseException:
            await stream.close()
            raise
        return stream

    def packet_decoder(self) -> OpusPacketDecoder:
        """See `hardware.interfaces.Player`."""
        return OpusPacketDecoder()


def make_player() -> VlcPlayer:
    """The player, for a device file that names it."""
    return VlcPlayer()
