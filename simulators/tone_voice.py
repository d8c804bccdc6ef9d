"""A voice for worlds without espeak-ng: each letter is a short note, so every text has its own sound."""

from __future__ import annotations

import asyncio
from typing import Final

from edge.audio.pcm_source import PcmSource
from edge.ports import MediaError, SoundSource
from simulators.melody import melody

_LETTER_MS: Final = 60


class ToneVoice:
    """Implements `edge.ports.Voice`.

    Attributes:
        takes_ms: how long it thinks before it speaks.
        spoken: how many texts it has spoken.
    """

    def __init__(self, *, takes_ms: int = 0, languages: tuple[str, ...] = ("vi", "en")) -> None:
        self.takes_ms = takes_ms
        self.spoken = 0
        self._languages = languages

    async def speak(self, text: str, language: str) -> SoundSource:
        """See `edge.ports.Voice`."""
        if language not in self._languages:
            raise MediaError(f"no voice for {language}")
        await asyncio.sleep(self.takes_ms / 1000)
        self.spoken += 1
        return PcmSource(tone_speech(text))


def tone_speech(text: str) -> bytes:
    """The samples of a text."""
    seed = int.from_bytes(text.encode()[:64], "big")
    return melody(seed, duration_ms=max(1, len(text)) * _LETTER_MS)
