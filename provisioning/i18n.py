"""The tools' words: Vietnamese unless `LOALANG_LANG=en`."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from signer.catalogue import Catalogue

CATALOGUE: Final = Catalogue(Path(__file__).parent / "locale", "provisioning")
gettext = CATALOGUE.gettext
ngettext = CATALOGUE.ngettext

__all__ = ["CATALOGUE", "gettext", "ngettext"]
