"""The signer's words in the reader's language: Vietnamese unless English is chosen."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from signer.catalogue import LANGUAGES, Catalogue

CATALOGUE: Final = Catalogue(Path(__file__).parent / "locale", "signer")

compile_catalogues = CATALOGUE.compile
use_language = CATALOGUE.use
language = CATALOGUE.language
gettext = CATALOGUE.gettext
ngettext = CATALOGUE.ngettext

__all__ = ["CATALOGUE", "LANGUAGES", "compile_catalogues", "gettext", "language", "ngettext", "use_language"]
