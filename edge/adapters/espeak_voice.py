"""The device's own voice: espeak-ng, with no network, at the bus's rate and as loud as a levelled programme."""

from __future__ import annotations

import asyncio
import audioop
from typing import Final

from edge.audio.pcm_source import PcmSource
from edge.ports import SAMPLE_RATE, MediaError, SoundSource
from hardware.espeak import Espeak, EspeakError

_SPEECH_RMS: Final = 32_768 * 10 ** (-18 / 20)
_PEAK_MAX: Final = 32_767 * 10 ** (-1 / 20)


class EspeakVoice:
    """Implements `edge.ports.Voice`."""

    def __init__(self, espeak: Espeak | None = None) -> None:
        self._espeak = espeak or Espeak()

    async def speak(self, text: str, language: str) -> SoundSource:
        """See `edge.ports.Voice`."""
        loop = asyncio.get_running_loop()
        try:
            return PcmSource(await loop.run_in_executor(None, self._render, text, language))
        except EspeakError as error:
            raise MediaError(f"the text cannot be spoken: {error}") from error

    def _render(self, text: str, language: str) -> bytes:
        speech = self._espeak.speak(text, language)
        samples, _ = audioop.ratecv(_levelled(speech.pcm), 2, 1, speech.rate, SAMPLE_RATE, None)
        return samples


def _levelled(samples: bytes) -> bytes:
    """Raises quiet speech to a programme's level, as far as its peaks allow."""
    rms, peak = audioop.rms(samples, 2), audioop.max(samples, 2)
    return audioop.mul(samples, 2, min(_SPEECH_RMS / rms, _PEAK_MAX / peak)) if rms else samples
