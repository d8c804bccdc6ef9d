"""Plays files and streams with libVLC 3, in a child process, exact to the sample.

The child keeps the agent alive when libVLC crashes, and small when nothing plays; it ends when its sound is closed.
Samples come through a pipe, whose filling is all that paces the child. One that gives nothing for 1.5 s is replaced
by another that goes on at the very sample; 2.5 s are held ahead, so a listener does not hear it.
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
    """Implements `hardware.interfaces.Player`."""

    async def open(self, media: Path, *, offset_ms: int = 0) -> VlcSource:
        """See `hardware.interfaces.Player`."""
        begin = offset_ms * SAMPLE_RATE // 1000

        def job(given: int) -> dict[str, object]:
            return {"file": str(media), "offset_samples": begin + given}

        source = VlcSource(media.name, job, _FILE_PATIENCE)
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
