"""A sound card that is open for playback, as the thread sees it that calls ALSA."""

from __future__ import annotations

import logging
import time
from typing import Final

from hardware.alsa_line import CardLine
from hardware.alsa_pcm import AlsaPcm, XrunError
from hardware.errors import CardLostError
from hardware.interfaces import FRAME_MS, SAMPLE_RATE, SILENT_FRAME

LEAD_MS: Final = 2 * FRAME_MS
"""Silence in front of the first frame: what a thread may be late by before a card that has just started runs dry."""
_LEAD: Final = SILENT_FRAME * (LEAD_MS // FRAME_MS)
_TRIES: Final = 3
_SAMPLES_PER_MS: Final = SAMPLE_RATE // 1000

_log = logging.getLogger(__name__)


class Playback:
    """One opening of a card.

    Args:
        xruns: where counting goes on.

    Attributes:
        line: when the next frame will be heard.
        buffer_ms: what the card can hold.
    """

    def __init__(self, pcm: AlsaPcm, *, xruns: int = 0) -> None:
        self._pcm = pcm
        self.line = CardLine(LEAD_MS)
        self.buffer_ms = pcm.buffer_samples // _SAMPLES_PER_MS
        self.xruns = xruns

    def write(self, frame: bytes) -> None:
        """Hands a frame to the card; one that has run dry is started again with it.

        Raises:
            CardLostError: the card is gone, or runs dry over and over.
        """
        if self.line.is_dry(now_ms()):
            self._note_xrun()
            self._pcm.stop()
        for _ in range(_TRIES):
            try:
                self._put(frame)
                return
            except XrunError:
                self._note_xrun()
        raise CardLostError(f"{self._pcm.device} runs dry as soon as it is started")

    def _put(self, frame: bytes) -> None:
        if self.line.running:
            self._pcm.write(frame)
        else:
            self._pcm.write(_LEAD + frame)
            self.line.begin(now_ms())
        self.line.count()
        if self._pcm.paces:
            self._observe()

    def _observe(self) -> None:
        try:
            waiting_ms = self._pcm.waiting_samples() / _SAMPLES_PER_MS
        except XrunError:
            self._note_xrun()  # The frame has been heard already: this thread was held up.
            return
        self.line.observe(now_ms(), waiting_ms)

    def _note_xrun(self) -> None:
        self.line.stop()
        self.xruns += 1
        tell = _log.warning if self.xruns == 1 else _log.debug
        tell("%s ran dry, %s times so far", self._pcm.device, self.xruns)

    def stop(self) -> None:
        """Falls silent at once; the next frame starts it anew."""
        self.line.stop()
        self._pcm.stop()

    def close(self) -> None:
        """Lets go of the card."""
        self.stop()
        self._pcm.close()


class Place:
    """Where a card's playback is kept: only the thread that calls ALSA changes it.

    A write that was cancelled still happens, so who comes next must find what it opened. After a call that hangs a
    card goes on with a new place; what is in the old one is closed by the call's own thread, should it come back.
    """

    def __init__(self) -> None:
        self.playback: Playback | None = None

    def stop(self) -> None:
        """Falls silent at once."""
        if self.playback is not None:
            self.playback.stop()

    def close(self) -> None:
        """Lets go of the card."""
        playback, self.playback = self.playback, None
        if playback is not None:
            playback.close()


def now_ms() -> float:
    """The monotonic clock."""
    return time.monotonic() * 1000
