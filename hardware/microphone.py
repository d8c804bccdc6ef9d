"""The microphone at the device: an input of a sound card, a voice chain, and the ring that keeps what was said.

From a sample at the connector to the frame that holds it: 20 ms of frame, 10 ms of voice chain, some 2 ms of USB.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from hardware.alsa_capture import AlsaCapture
from hardware.interfaces import FRAME_MS, SoundSource
from hardware.ring_writer import RingWriter
from hardware.sound_ring import SoundRing
from hardware.voice_chain import DELAY_MS, VoiceChain

RING_NAME: Final = "microphone.ring"
_AGE_MS: Final = FRAME_MS + DELAY_MS


class AlsaMicrophone:
    """Implements `hardware.interfaces.Microphone`.

    Args:
        name: see `hardware.alsa_names`.
        ring: directory in which the last 30 minutes are kept, as RING_NAME; None keeps nothing.
        mixer: name of the input's volume control, to be set at each opening; None leaves it alone.
        wall_ms: the wall clock, in milliseconds since 1970.
        library: pyalsaaudio, or what behaves like it.
        root: where /proc and /sys are.

    Attributes:
        capture: the input; its `xruns` are counted there.
        chain: what a voice passes.
    """

    def __init__(
        self,
        name: str,
        *,
        ring: Path | None,
        mixer: str | None = None,
        wall_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
        library: Any = None,
        root: Path = Path("/"),
    ) -> None:
        self.capture = AlsaCapture(name, mixer=mixer, library=library, root=root)
        self.chain = VoiceChain()
        self.ring = None if ring is None else RingWriter(SoundRing(ring / RING_NAME))
        self._wall_ms = wall_ms

    async def open(self) -> SoundSource:
        """See `hardware.interfaces.Microphone`."""
        source = await self.capture.open()
        self.chain.restart()
        return _MicrophoneSource(source, self.chain, self.ring, self._wall_ms)


class _MicrophoneSource:
    """Implements `hardware.interfaces.SoundSource`."""

    def __init__(
        self, source: SoundSource, chain: VoiceChain, ring: RingWriter | None, wall_ms: Callable[[], int]
    ) -> None:
        self._source, self._chain, self._wall_ms = source, chain, wall_ms
        self._ring = ring

    async def read(self) -> bytes | None:
        """See `hardware.interfaces.SoundSource`."""
        captured = await self._source.read()
        if captured is None:
            return None
        frame = self._chain.apply(captured)
        if self._ring is not None:
            self._ring.add(frame, self._wall_ms() - _AGE_MS)
        return frame

    async def close(self) -> None:
        """See `hardware.interfaces.SoundSource`."""
        try:
            await self._source.close()
        finally:
            if self._ring is not None:
                self._ring.end()
                self._ring = None
