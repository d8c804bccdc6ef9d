"""Sound that the simulated world needs: a person at the microphone, and the programmes of FM stations."""

from __future__ import annotations

from typing import Final

from edge.adapters.espeak_voice import EspeakVoice
from edge.ports import SAMPLE_RATE, MediaError
from simulators.melody import melody

VOICE: Final = (
    "A lô, a lô. Kính thưa bà con cô bác. Đây là giọng nói thử từ micro của cụm loa. "
    "Đề nghị bà con chú ý lắng nghe. Xin cảm ơn bà con."
)
_PAUSE: Final = bytes(SAMPLE_RATE)


async def spoken(text: str, language: str = "vi") -> bytes:
    """Samples of a spoken text; a melody where no voice is installed."""
    try:
        source = await EspeakVoice().speak(text, language)
    except MediaError:
        return melody(len(text), duration_ms=6000)
    frames = []
    while (frame := await source.read()) is not None:
        frames.append(frame)
    return b"".join(frames)


async def person_talking() -> bytes:
    """The built-in recording of the talk button: a minute at least, so a long press is not silent."""
    once = await spoken(VOICE) + _PAUSE
    return once * (60 * SAMPLE_RATE * 2 // len(once) + 1)


async def programme(seed: int, announcement: str, language: str = "vi") -> bytes:
    """A radio programme that goes round: an announcement, then music."""
    return await spoken(announcement, language) + _PAUSE + melody(seed, duration_ms=20_000)
