"""What a media is, what text may be spoken, and how titles are found: pure."""

from __future__ import annotations

import itertools
import re
import unicodedata
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from controller.library.refusal import Reason, SoundRefusedError
from hardware.espeak import languages, unsayable
from protocol.bulletin import MediaRef
from protocol.limits import TEXT_CHARS_MAX
from protocol.units import UnitPath

SPEECH_CHARS_MAX: Final = 5_000
TITLE_CHARS_MAX: Final = TEXT_CHARS_MAX
SOURCE_NAME_CHARS_MAX: Final = 200
_SUGGESTED_CHARS_MAX: Final = 70
_NAMED_MAX: Final = 12


class Origin(StrEnum):
    """Where a media came from."""

    UPLOAD = "upload"
    SPEECH = "speech"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What somebody wants to have in the library.

    Attributes:
        title: may be empty; then one is suggested.
        account: who wants it.
        text, language: of speech; None for an upload.
        source_name: the file's name on the sender's machine; None for speech.
    """

    unit: UnitPath
    title: str
    account: int
    text: str | None = None
    language: str | None = None
    source_name: str | None = None

    @property
    def origin(self) -> Origin:
        """Where it comes from."""
        return Origin.UPLOAD if self.text is None else Origin.SPEECH


@dataclass(frozen=True, slots=True)
class Processed:
    """What is known of a sound once it is levelled and encoded; as in `Media`."""

    duration_ms: int
    size_bytes: int
    loudness_in_cdb: int
    loudness_out_cdb: int
    peak_out_cdb: int
    waveform: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Media:
    """A sound in the library, ready to be broadcast.

    Attributes:
        loudness_in_cdb, loudness_out_cdb: EBU R 128 before and after levelling, in hundredths of LUFS.
        peak_out_cdb: true peak of what is broadcast, in hundredths of dBTP.
        waveform: at most 800 highest values, 0 to 100, evenly over its length.
        created_by: account; `creator` is its name.
    """

    digest: str
    unit: UnitPath
    title: str
    origin: Origin
    text: str | None
    language: str | None
    size_bytes: int
    duration_ms: int
    loudness_in_cdb: int | None
    loudness_out_cdb: int | None
    peak_out_cdb: int | None
    waveform: tuple[int, ...]
    source_name: str | None
    created_by: int
    created_ms: int
    creator: str = ""
    unit_name: str = ""

    def ref(self) -> MediaRef:
        """What a signed document says of it."""
        return MediaRef(digest=self.digest, size_bytes=self.size_bytes, duration_ms=self.duration_ms)

    def outline(self, points: int) -> tuple[int, ...]:
        """The waveform with at most so many values."""
        count = len(self.waveform)
        if count <= points:
            return self.waveform
        edges = [index * count // points for index in range(points + 1)]
        return tuple(max(self.waveform[begin:end]) for begin, end in itertools.pairwise(edges))

    @property
    def url(self) -> str:
        """Where its bytes are."""
        return f"/media/{self.digest}"


def check_speech(text: str, language: str) -> None:
    """Looks at a text before it is spoken.

    Raises:
        SoundRefusedError: empty, too long, without a voice, or with characters that cannot be said; these are named.
    """
    if language not in languages():
        raise SoundRefusedError(Reason.NO_VOICE, language=language[:20])
    if not text.strip():
        raise SoundRefusedError(Reason.TEXT_EMPTY)
    if len(text) > SPEECH_CHARS_MAX:
        raise SoundRefusedError(Reason.TEXT_TOO_LONG, chars=len(text), chars_max=SPEECH_CHARS_MAX)
    mute = unsayable(text, language)
    if mute:
        named = ", ".join(name_of(letter) for letter in mute[:_NAMED_MAX])
        raise SoundRefusedError(Reason.TEXT_UNSAYABLE, characters=named + (" …" if len(mute) > _NAMED_MAX else ""))
    if not any(letter.isalnum() for letter in text):
        raise SoundRefusedError(Reason.TEXT_EMPTY)


def name_of(letter: str) -> str:
    """A character as it can be shown: itself in quotes, or its number when it has no shape."""
    visible = letter.isprintable() and not letter.isspace() and not unicodedata.combining(letter)
    return f"“{letter}”" if visible else f"U+{ord(letter):04X}"


def tidy_title(title: str) -> str:
    """A title on one line, without control characters, not longer than a document allows."""
    printable = "".join(letter if letter.isprintable() else " " for letter in title)
    return " ".join(printable.split())[:TITLE_CHARS_MAX].rstrip()


def tidy_source_name(name: str) -> str:
    """A file's name without the folders some browsers send."""
    return tidy_title(re.split(r"[/\\]", name)[-1])[:SOURCE_NAME_CHARS_MAX]


def suggested_title(wanted: Wanted) -> str:
    """The title they gave, or one from the file's name or the first words of the text; may be empty."""
    if title := tidy_title(wanted.title):
        return title
    if wanted.text is not None:
        return _first_words(tidy_title(wanted.text))
    stem = (wanted.source_name or "").rpartition(".")[0] or wanted.source_name or ""
    return tidy_title(stem.replace("_", " "))


def _first_words(text: str) -> str:
    sentence = re.split(r"[.!?\n]", text, maxsplit=1)[0].strip() or text
    if len(sentence) <= _SUGGESTED_CHARS_MAX:
        return sentence
    return sentence[:_SUGGESTED_CHARS_MAX].rpartition(" ")[0] + "…"


def folded(text: str) -> str:
    """Letters without marks and case, so that `hop dan` finds `Họp dân`."""
    bare = "".join(letter for letter in unicodedata.normalize("NFD", text) if not unicodedata.combining(letter))
    return " ".join(bare.casefold().replace("đ", "d").split())


def matches(media: Media, search: str) -> bool:
    """Whether every searched word stands in the title, the text or the file's name."""
    haystack = folded(f"{media.title} {media.text or ''} {media.source_name or ''}")
    return all(word in haystack for word in folded(search).split())
