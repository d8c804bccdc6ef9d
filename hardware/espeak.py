"""Speaks text with espeak-ng, in a short-lived child process.

The C library keeps its state in globals and can crash (1.52 does when its phoneme trace follows a synthesis), so each
text is spoken by a child that loads nothing but this file: the caller outlives it, and its memory is given back.
The child starts in about 30 ms, takes about 20 MB while it lives, and speaks a minute of Vietnamese in about 0.1 s.

There is no Khmer voice in espeak-ng: `speak` says so with `NoVoiceError`, it never reads one language as another.

    python -m hardware.espeak vi < text.txt > speech.wav
"""

from __future__ import annotations

import ctypes
import io
import os
import struct
import subprocess
import sys
import wave
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

if __name__ != "__main__":
    from hardware.spoken_text import spoken_form, unsayable_in

TEXT_CHARS_MAX: Final = 20_000
_TIME_LIMIT_S: Final = 60.0
_CHILD_MEMORY_BYTES_MAX: Final = 512 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class _Voice:
    """An espeak-ng voice and its setting for "words per minute"."""

    name: str
    rate: int


# Northern Vietnamese keeps all six tones apart (the southern voice merges two), which is what an echoing horn needs.
# The setting 110 gives about 155 written words a minute, measured; English counts words as a reader does.
_VOICES: Final = {"vi": _Voice("vi", 110), "en": _Voice("en", 145)}


class EspeakError(Exception):
    """Text was not spoken; the message says why."""


class NoVoiceError(EspeakError):
    """There is no voice for this language."""


class TextError(EspeakError):
    """The text is empty, too long, or has nothing in it that can be said."""


class VoiceLostError(EspeakError):
    """The library is missing, crashed, or took too long."""


@dataclass(frozen=True, slots=True)
class Speech:
    """Spoken text: signed 16-bit little-endian mono samples."""

    pcm: bytes
    rate: int

    @property
    def duration_ms(self) -> int:
        """Length, rounded down."""
        return len(self.pcm) // 2 * 1000 // self.rate

    def wav(self) -> bytes:
        """The same as a WAV file."""
        file = io.BytesIO()
        with wave.open(file, "wb") as out:
            out.setnchannels(1)
            out.setsampwidth(2)
            out.setframerate(self.rate)
            out.writeframes(self.pcm)
        return file.getvalue()


def languages() -> tuple[str, ...]:
    """Languages with a voice."""
    return tuple(_VOICES)


def unsayable(text: str, language: str) -> tuple[str, ...]:
    """Characters the voice would drop or misread, each once, in order; show them to who wrote the text."""
    return unsayable_in(text, language)


class Espeak:
    """A voice. Safe to use from several threads; each text has its own child process.

    Args:
        time_limit_s: after which a child is ended.
    """

    def __init__(self, *, time_limit_s: float = _TIME_LIMIT_S) -> None:
        self._time_limit_s = time_limit_s

    def speak(self, text: str, language: str) -> Speech:
        """Speaks a text; blocks meanwhile, so call it in a thread.

        Characters the voice cannot say are left out: ask `unsayable` before, when a person can still change them.

        Raises:
            NoVoiceError: no voice for the language.
            TextError: nothing to say, or more than TEXT_CHARS_MAX.
            VoiceLostError: the library is missing, crashed, or took too long.
        """
        voice = _VOICES.get(language)
        if voice is None:
            raise NoVoiceError(f"no voice for {language[:20]!r}")
        if len(text) > TEXT_CHARS_MAX:
            raise TextError(f"{len(text)} characters, at most {TEXT_CHARS_MAX}")
        spoken = spoken_form(text, language)
        if not any(letter.isalnum() for letter in spoken):
            raise TextError("nothing in the text can be said")
        return _unpacked(self._ask_child(spoken, voice))

    def _ask_child(self, text: str, voice: _Voice) -> bytes:
        library, data = _installed()
        command = [sys.executable, "-I", "-S", str(Path(__file__).resolve()), library, voice.name, str(voice.rate)]
        try:
            # The data directory is reached as "." because espeak-ng keeps its path in 160 bytes.
            done = subprocess.run(  # noqa: S603
                command, input=text.encode(), capture_output=True, timeout=self._time_limit_s, cwd=data, check=False
            )
        except subprocess.TimeoutExpired as error:
            raise VoiceLostError(f"no speech after {self._time_limit_s} s") from error
        except OSError as error:
            raise VoiceLostError("the voice could not be started") from error
        if done.returncode != 0:
            last = done.stderr.decode(errors="replace").strip()[-200:]
            raise VoiceLostError(f"the voice ended with {done.returncode}: {last}")
        return done.stdout


def _installed() -> tuple[str, str]:
    """Paths of the library and of the directory with its data."""
    try:
        import espeakng_loader  # type: ignore[import-untyped]

        return espeakng_loader.get_library_path(), str(Path(espeakng_loader.get_data_path()).parent)
    except (ImportError, RuntimeError) as error:
        raise VoiceLostError("espeak-ng is not installed") from error


def _unpacked(answer: bytes) -> Speech:
    if len(answer) <= _HEADER.size:
        raise VoiceLostError("the voice said nothing")
    (rate,) = _HEADER.unpack_from(answer)
    return Speech(pcm=answer[_HEADER.size :], rate=rate)


# Here ends what runs in the caller; the rest runs in the child.

_HEADER: Final = struct.Struct("<I")
_OUTPUT_SYNCHRONOUS: Final = 2
_DONT_EXIT: Final = 0x8000
_PARAMETER_RATE: Final = 1
_UTF8_AND_END_PAUSE: Final = 0x1 | 0x1000
_CALLBACK = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p)


def _speak_here(library: str, *, voice: str, rate: int, text: bytes, out: BinaryIO) -> None:
    """Speaks in this process: sample rate, then samples, go to `out` as they are made."""
    espeak = ctypes.CDLL(library)
    sample_rate = espeak.espeak_Initialize(_OUTPUT_SYNCHRONOUS, 0, b".", _DONT_EXIT)
    if sample_rate <= 0:
        raise SystemExit("espeak-ng found no data")

    def keep(samples: ctypes._Pointer[ctypes.c_short], count: int, _events: int | None) -> int:
        if samples and count > 0:
            out.write(ctypes.string_at(samples, count * 2))
        return 0

    callback = _CALLBACK(keep)
    espeak.espeak_SetSynthCallback(callback)
    if espeak.espeak_SetVoiceByName(voice.encode()) != 0:
        raise SystemExit(f"espeak-ng has no voice {voice}")
    espeak.espeak_SetParameter(_PARAMETER_RATE, rate, 0)
    out.write(_HEADER.pack(sample_rate))
    ended = text + b"\0"
    if espeak.espeak_Synth(ended, ctypes.c_size_t(len(ended)), 0, 0, 0, _UTF8_AND_END_PAUSE, None, None) != 0:
        raise SystemExit("espeak-ng refused the text")


def _child(library: str, voice: str, rate: str) -> None:
    import resource

    resource.setrlimit(resource.RLIMIT_AS, (_CHILD_MEMORY_BYTES_MAX, _CHILD_MEMORY_BYTES_MAX))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    _speak_here(library, voice=voice, rate=int(rate), text=sys.stdin.buffer.read(), out=sys.stdout.buffer)
    sys.stdout.buffer.flush()
    os._exit(0)  # the library's own clean-up is not needed and has crashed before


def _by_hand(language: str) -> None:
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
    from hardware.espeak import Espeak, EspeakError

    try:
        speech = Espeak().speak(sys.stdin.read(), language)
    except EspeakError as error:
        raise SystemExit(f"espeak: {error}") from error
    sys.stdout.buffer.write(speech.wav())


if __name__ == "__main__":
    if len(sys.argv) == 4:
        _child(*sys.argv[1:])
    else:
        _by_hand(sys.argv[1] if len(sys.argv) > 1 else "vi")
