"""The signer's words in the reader's language: Vietnamese unless English is chosen."""

from __future__ import annotations

from contextvars import ContextVar
from gettext import NullTranslations, translation
from pathlib import Path
from typing import Final

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

DOMAIN: Final = "signer"
LANGUAGES: Final = ("vi", "en")
_LOCALE: Final = Path(__file__).parent / "locale"
_CATALOGUE: Final = _LOCALE / "vi" / "LC_MESSAGES" / f"{DOMAIN}.po"
_language: ContextVar[str] = ContextVar("signer_language", default="vi")
_loaded: dict[str, NullTranslations] = {}


def compile_catalogues() -> None:
    """Compiles the catalogue when its text is newer."""
    compiled = _CATALOGUE.with_suffix(".mo")
    if compiled.exists() and compiled.stat().st_mtime_ns >= _CATALOGUE.stat().st_mtime_ns:
        return
    with _CATALOGUE.open("rb") as source:
        catalogue = read_po(source, locale="vi", domain=DOMAIN)
    fresh = compiled.with_suffix(".mo.new")
    with fresh.open("wb") as target:
        write_mo(target, catalogue)
    fresh.replace(compiled)


def use_language(language: str) -> None:
    """Chooses the language of this request."""
    _language.set(language if language in LANGUAGES else LANGUAGES[0])


def language() -> str:
    """The language of this request."""
    return _language.get()


def _translations() -> NullTranslations:
    chosen = _language.get()
    if chosen not in _loaded:
        _loaded[chosen] = translation(DOMAIN, str(_LOCALE), [chosen], fallback=True)
    return _loaded[chosen]


def gettext(message: str) -> str:
    """The message in the reader's language."""
    return _translations().gettext(message)


def ngettext(singular: str, plural: str, number: int) -> str:
    """The same, for counted things."""
    return _translations().ngettext(singular, plural, number)
