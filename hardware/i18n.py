"""The hardware's words: Vietnamese unless another language is chosen; English in the code, one catalogue beside it.

A device has neither Babel nor a compiled catalogue that is surely newer than its text, so the text itself is read:
a thousand lines take a few milliseconds, once, and only commands that talk to people ask for it.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from hardware.errors import PortError

LANGUAGES: Final = ("vi", "en")
_FILE_BYTES_MAX: Final = 1024 * 1024


def read_catalogue(text: str) -> dict[str, str]:
    """The translated messages of a `.po` text: `msgid` and `msgstr` with their continuation lines.

    Plural forms and contexts are not used here. What cannot be read, or is marked fuzzy, is left out, so the English
    sentence stands in its place.
    """
    known = {}
    for block in text.replace("\r\n", "\n").split("\n\n"):
        parts = _entry(block.splitlines())
        if parts.get("msgid") and parts.get("msgstr"):
            known[parts["msgid"]] = parts["msgstr"]
    return known


def _entry(lines: list[str]) -> dict[str, str]:
    if any(line.startswith("#,") and "fuzzy" in line for line in lines):
        return {}
    parts: dict[str, str] = {}
    field = ""
    for line in lines:
        word, _, rest = line.partition(" ")
        if word in ("msgid", "msgstr"):
            field, line = word, rest
        if field and line.startswith('"'):
            parts[field] = parts.get(field, "") + _unquoted(line)
    return parts


def _unquoted(quoted: str) -> str:
    try:
        return str(ast.literal_eval(quoted))
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return ""


class Catalogue:
    """One gettext domain; the language belongs to the command that runs."""

    def __init__(self, locale: Path, domain: str) -> None:
        self._source = locale / "vi" / "LC_MESSAGES" / f"{domain}.po"
        self._language: ContextVar[str] = ContextVar(f"{domain}_language", default=LANGUAGES[0])
        self._known: dict[str, str] | None = None

    def use(self, language: str) -> None:
        """Chooses the language; anything unknown is Vietnamese."""
        self._language.set(language if language in LANGUAGES else LANGUAGES[0])

    @property
    def language(self) -> str:
        """The chosen one."""
        return self._language.get()

    def gettext(self, message: str) -> str:
        """The message in the reader's language."""
        if self._language.get() != "vi":
            return message
        if self._known is None:
            self._known = self._load()
        return self._known.get(message, message)

    def _load(self) -> dict[str, str]:
        try:
            with self._source.open(encoding="utf-8", errors="replace") as file:
                return read_catalogue(file.read(_FILE_BYTES_MAX))
        except OSError:
            return {}


CATALOGUE: Final = Catalogue(Path(__file__).parent / "locale", "hardware")
gettext = CATALOGUE.gettext


def N_(sentence: str) -> str:
    """Marks a sentence for the catalogue; it is translated when it is shown."""
    return sentence


@dataclass(frozen=True, slots=True)
class Phrase:
    """A part of a message, or a remark, that is English in a log and worded where a person reads it."""

    message: str
    values: Mapping[str, object] = field(default_factory=dict)

    def __str__(self) -> str:
        return self.message % self.values if self.values else self.message


def worded(said: object) -> str:
    """A `PortError` or `Phrase` in the reader's language, with whatever it quotes; anything else as it is."""
    if not isinstance(said, (PortError, Phrase)):
        return str(said) or type(said).__name__
    if not said.values:
        return gettext(said.message) or type(said).__name__
    values = {name: one if isinstance(one, (int, float)) else worded(one) for name, one in said.values.items()}
    return gettext(said.message) % values
