"""Language of the panel page and of what the demo prints: Vietnamese by default, English by a switch.

The msgid is the English sentence. The catalogue is read from its `.po` source, which is small, so the village also
speaks Vietnamese where nothing was compiled.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from functools import lru_cache
from gettext import GNUTranslations, NullTranslations
from pathlib import Path

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

LOCALE = Path(__file__).parent / "locale"
LANGUAGES = {"vi": "Tiếng Việt", "en": "English"}
DEFAULT = "vi"
DOMAIN = "simulators"


def N_(message: str) -> str:
    """Marks a sentence for translation where it is written, translated where it is shown."""
    return message


def language_of(*wishes: str | None) -> str:
    """The first wish that we speak."""
    return next((wish for wish in wishes if wish in LANGUAGES), DEFAULT)


def translator(language: str) -> Callable[[str], str]:
    """Translates sentences into a language."""
    return catalogue(language).gettext


@lru_cache
def catalogue(language: str) -> NullTranslations:
    """The sentences of a language; English needs none."""
    source = LOCALE / language / "LC_MESSAGES" / f"{DOMAIN}.po"
    if not source.exists():
        return NullTranslations()
    made = io.BytesIO()
    with source.open("rb") as file:
        write_mo(made, read_po(file, locale=language, domain=DOMAIN))
    made.seek(0)
    return GNUTranslations(made)
