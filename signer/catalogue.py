"""A package's words: English in the code, Vietnamese in one catalogue beside it."""

from __future__ import annotations

from contextvars import ContextVar
from gettext import GNUTranslations, NullTranslations, translation
from io import BytesIO
from pathlib import Path
from typing import Final

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

LANGUAGES: Final = ("vi", "en")


class Catalogue:
    """One gettext domain; the language belongs to the request or command that runs."""

    def __init__(self, locale: Path, domain: str) -> None:
        self._locale = locale
        self._domain = domain
        self._language: ContextVar[str] = ContextVar(f"{domain}_language", default=LANGUAGES[0])
        self._loaded: dict[str, NullTranslations] = {}

    @property
    def source(self) -> Path:
        """The Vietnamese text."""
        return self._locale / "vi" / "LC_MESSAGES" / f"{self._domain}.po"

    def compile(self) -> None:
        """Compiles the catalogue when its text is newer."""
        compiled = self.source.with_suffix(".mo")
        if compiled.exists() and compiled.stat().st_mtime_ns >= self.source.stat().st_mtime_ns:
            return
        with self.source.open("rb") as source:
            catalogue = read_po(source, locale="vi", domain=self._domain)
        made = BytesIO()
        write_mo(made, catalogue)
        self._loaded.clear()
        try:
            fresh = compiled.with_suffix(".mo.new")
            fresh.write_bytes(made.getvalue())
            fresh.replace(compiled)
        except OSError:  # installed where only the administrator writes: the words are kept in memory
            made.seek(0)
            self._loaded["vi"] = GNUTranslations(made)

    def use(self, language: str) -> None:
        """Chooses the language; anything unknown is Vietnamese."""
        self._language.set(language if language in LANGUAGES else LANGUAGES[0])

    def language(self) -> str:
        """The language chosen."""
        return self._language.get()

    def gettext(self, message: str) -> str:
        """The message in the reader's language."""
        return self._translations().gettext(message)

    def ngettext(self, singular: str, plural: str, number: int) -> str:
        """The same, for counted things."""
        return self._translations().ngettext(singular, plural, number)

    def _translations(self) -> NullTranslations:
        chosen = self._language.get()
        if chosen not in self._loaded:
            self._loaded[chosen] = translation(self._domain, str(self._locale), [chosen], fallback=True)
        return self._loaded[chosen]
