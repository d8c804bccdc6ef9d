"""Sound that is already in memory, as a source."""

from __future__ import annotations

from edge.ports import FRAME_BYTES


class PcmSource:
    """Implements `edge.ports.SoundSource` over signed 16-bit mono samples at 48 kHz."""

    def __init__(self, samples: bytes) -> None:
        self._samples = samples
        self._at = 0

    async def read(self) -> bytes | None:
        """The next frame."""
        if self._at >= len(self._samples):
            return None
        frame = self._samples[self._at : self._at + FRAME_BYTES]
        self._at += FRAME_BYTES
        return frame.ljust(FRAME_BYTES, b"\0")

    async def close(self) -> None:
        """Forgets the sound."""
        self._samples = b""
