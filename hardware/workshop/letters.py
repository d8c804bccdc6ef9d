"""Which letters a terminal can show: a Linux console has a font of 512 glyphs at most, and rarely the Vietnamese one.

A serial line ends in somebody's terminal program, which is taken to know Unicode. The console is asked: the kernel
tells which characters the font in it has (GIO_UNIMAP, linux/kd.h). Where one letter of Vietnamese is missing all
lose their marks, as in a text message of old: words with marks here and there are harder to read than words without.
"""

from __future__ import annotations

import ctypes
import fcntl
import unicodedata
from collections.abc import Callable
from typing import Final

_GIO_UNIMAP: Final = 0x4B66
_PAIRS_MAX: Final = 0xFFFF
_BASES: Final = "aăâeêioôơuưyđ"
_TONES: Final = ("", "\u0300", "\u0301", "\u0309", "\u0303", "\u0323")
_STEADY: Final = {"đ": "d", "Đ": "D", "…": "...", "→": "->", "Ω": "Ohm", "–": "-", "—": "-", "·": "-", "°": ""}
_QUOTES: Final = {"“": '"', "”": '"', "‘": "'", "’": "'"}
_PLAIN: Final = _STEADY | _QUOTES
_ALPHABET: Final = frozenset(
    unicodedata.normalize("NFC", form(one + tone))
    for one in _BASES
    for tone in (_TONES if one != "đ" else ("",))
    for form in (str.lower, str.upper)
)


class _Pair(ctypes.Structure):
    _fields_ = (("unicode", ctypes.c_ushort), ("fontpos", ctypes.c_ushort))


class _Unimap(ctypes.Structure):
    _fields_ = (("count", ctypes.c_ushort), ("entries", ctypes.POINTER(_Pair)))


def glyphs(descriptor: int) -> frozenset[str] | None:
    """Characters in the font of a console; None for any other terminal."""
    pairs = (_Pair * _PAIRS_MAX)()
    asked = _Unimap(_PAIRS_MAX, ctypes.cast(pairs, ctypes.POINTER(_Pair)))
    try:
        fcntl.ioctl(descriptor, _GIO_UNIMAP, asked)
    except OSError:
        return None
    return frozenset(chr(one.unicode) for one in pairs[: asked.count])


def writing(shown: frozenset[str] | None) -> Callable[[str], str]:
    """How a text is to be written where only some characters are shown; None: all are."""
    if shown is None:
        return str
    if shown >= _ALPHABET:
        known = shown | {"\n", "\x1b"}
        return lambda text: "".join(one if one in known or one < "\x7f" else _PLAIN.get(one, "?") for one in text)
    return unmarked


def unmarked(text: str) -> str:
    """In ASCII: Vietnamese without its marks, quotation marks and dashes as a typewriter has them."""
    steady = "".join(_PLAIN.get(one, one) for one in text)
    bare = "".join(one for one in unicodedata.normalize("NFD", steady) if not unicodedata.combining(one))
    return "".join(one if one < "\x7f" else "?" for one in bare)


def printable(text: str) -> str:
    """Without what would steer a terminal: escapes, control characters, marks of writing direction."""
    return "".join(one for one in text if one.isprintable())
