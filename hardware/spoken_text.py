"""How written text is handed to the voice, and which characters it cannot say.

espeak-ng drops signs such as "°", "€" and "/" without a word and reads emoji and foreign scripts as "letter one seven
eight": a village would hear nonsense. So what it drops but people write is put in words here, and the rest is named.
Every entry was tried on espeak-ng 1.52.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

# What word processors put into text and nobody means: joiners, byte order mark, soft hyphen, direction marks.
_INVISIBLE: Final = dict.fromkeys(map(ord, "\u00ad\u200b\u200c\u200d\u200e\u200f\u2060\ufeff\ufe0f"))
_SPACES: Final = dict.fromkeys(map(ord, "\t\u00a0\u2002\u2003\u2007\u2009\u200a\u202f"), " ")
_BULLETS: Final = dict.fromkeys(map(ord, "•●▪◦‣∙·■□–—|_…"), ", ")
_TRANSLATION: Final = _INVISIBLE | _SPACES | _BULLETS | {ord("\r"): "\n", ord("\u2028"): "\n", ord("\u2029"): "\n"}

_PUNCTUATION: Final = frozenset(" \n.,;:!?\"'()[]-‘’“”«»")
_COMMON_SIGNS: Final = frozenset("+=%&@#*/°²$€₫")
_SAYABLE: Final = _PUNCTUATION | _COMMON_SIGNS

_VIETNAMESE_LETTERS: Final = frozenset(
    "aàáảãạăằắẳẵặâầấẩẫậbcdđeèéẻẽẹêềếểễệfghiìíỉĩịjklmnoòóỏõọôồốổỗộơờớởỡợpqrstuùúủũụưừứửữựvwxyỳýỷỹỵz"
)
_ENGLISH_LETTERS: Final = frozenset("abcdefghijklmnopqrstuvwxyz") | _VIETNAMESE_LETTERS
_DIGITS: Final = frozenset("0123456789")

# Order matters: a date and a time are read before single signs.
_WORDS: Final = {
    "vi": (
        (r"\b(\d{1,2})[hH:](\d{2})\b", r"\1 giờ \2"),
        (r"\b(\d{1,2})[hH]\b", r"\1 giờ"),
        (r"\b(\d{1,2})/(\d{1,2})/(\d{4})\b", r"\1 tháng \2 năm \3"),
        (r"\b(\d{1,2})/(\d{4})\b", r"\1 năm \2"),
        (r"\b(\d{1,2})/(\d{1,2})\b", r"\1 tháng \2"),
        (r"(\d)\s*(?:₫|đ\b|[vV][nN][đĐ]\b)", r"\1 đồng"),
        (r"°\s*C\b", " độ xê "),
        (r"°", " độ "),
        (r"km²", " ki lô mét vuông "),
        (r"m²", " mét vuông "),
        (r"(\d)\s*km\b", r"\1 ki lô mét"),
        (r"(\d)\s*kg\b", r"\1 ki lô gam"),
        (r"(\d)\s*m\b", r"\1 mét"),
        (r"²", " bình phương "),
        (r"\$", " đô la "),
        (r"€", " ơ rô "),
        (r"₫", " đồng "),
        (r"/", " trên "),
        (r"\bUBND\b", "ủy ban nhân dân"),
        (r"\bHĐND\b", "hội đồng nhân dân"),
        (r"\bMTTQ\b", "mặt trận tổ quốc"),
        (r"\bTP\.\s*", "thành phố "),
    ),
    "en": (
        (r"°\s*C\b", " degrees Celsius "),
        (r"m²", " square metres "),
        (r"₫", " dong "),
        (r"(\d)\s*(?:VND|đ)\b", r"\1 dong"),
    ),
}
_RULES: Final = {
    language: tuple((re.compile(pattern), word) for pattern, word in rules) for language, rules in _WORDS.items()
}


def tidy(text: str) -> str:
    """One form of the same writing: composed letters, plain spaces and line ends, nothing invisible."""
    return unicodedata.normalize("NFC", text.replace("\r\n", "\n")).translate(_TRANSLATION)


def unsayable_in(text: str, language: str) -> tuple[str, ...]:
    """Characters of the text the voice would drop or misread, each once, in their order."""
    letters = _VIETNAMESE_LETTERS if language == "vi" else _ENGLISH_LETTERS
    found = dict.fromkeys(letter for letter in tidy(text) if not _can_say(letter, letters))
    return tuple(found)


def _can_say(letter: str, letters: frozenset[str]) -> bool:
    return letter in _SAYABLE or letter in _DIGITS or letter.lower() in letters


def spoken_form(text: str, language: str) -> str:
    """The text as the voice should get it: signs, dates and times in words, unsayable characters left out."""
    mute = dict.fromkeys(map(ord, unsayable_in(text, language)), " ")
    spoken = tidy(text).translate(mute)
    for pattern, word in _RULES.get(language, ()):
        spoken = pattern.sub(word, spoken)
    return spoken
