"""Language of pages and messages: Vietnamese by default, English by a switch.

The msgid is the English sentence. `N_` marks a sentence that is translated later; `gettext` and `ngettext` translate
into the language of the request being handled. Every `.po` file in `controller/locale` is one domain; all are merged.
"""

from __future__ import annotations

import os
from contextvars import ContextVar
from functools import lru_cache
from gettext import NullTranslations
from pathlib import Path

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import Translations

LOCALE = Path(__file__).parents[1] / "locale"
LANGUAGES = {"vi": "Tiếng Việt", "en": "English"}
DEFAULT = "vi"
LANGUAGE: ContextVar[str] = ContextVar("language", default=DEFAULT)


def N_(message: str) -> str:
    """Marks a sentence for translation where it is written, translated where it is shown."""
    return message


def gettext(message: str) -> str:
    """The sentence in the language of this request."""
    return catalogue(LANGUAGE.get()).gettext(message)


def ngettext(one: str, many: str, count: int) -> str:
    """The sentence for a number of things, in the language of this request."""
    return catalogue(LANGUAGE.get()).ngettext(one, many, count)


@lru_cache
def catalogue(language: str) -> NullTranslations:
    """All domains of a language, merged; English needs none."""
    folder = LOCALE / language / "LC_MESSAGES"
    merged = Translations()
    for path in sorted(folder.glob("*.mo")):
        with path.open("rb") as file:
            domain = Translations(file, domain=path.stem)
        merged.merge(domain)
        merged.plural = domain.plural  # merging keeps the English rule, and two of anything would be English
    return merged if language != "en" else NullTranslations()


def compile_catalogues(root: Path = LOCALE) -> int:
    """Makes the `.mo` file of every `.po` file that changed; gives how many."""
    made = 0
    for source in sorted(root.glob("*/LC_MESSAGES/*.po")):
        target = source.with_suffix(".mo")
        if target.exists() and target.stat().st_mtime_ns >= source.stat().st_mtime_ns:
            continue
        _compile(source, target)
        made += 1
    if made:
        catalogue.cache_clear()
    return made


def _compile(source: Path, target: Path) -> None:
    with source.open("rb") as file:
        messages = read_po(file, locale=source.parents[1].name, domain=source.stem)
    fresh = target.with_name(f".{target.name}.{os.getpid()}")
    with fresh.open("wb") as file:
        write_mo(file, messages)
    fresh.replace(target)
