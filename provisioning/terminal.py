"""What every command shares: the present, the console, and failures as sentences."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable
from functools import wraps
from typing import Any, Final

import typer
from rich.console import Console

from protocol.clock import WallMs
from protocol.errors import DocumentError, Refusal
from provisioning.errors import ProvisioningError
from provisioning.i18n import CATALOGUE
from provisioning.i18n import gettext as _
from signer import i18n
from signer.errors import KeyStoreError

console: Final = Console()
logging.getLogger("signer").addHandler(logging.NullHandler())  # its warnings come back as errors, and are said once


def now() -> WallMs:
    """The present of this machine."""
    return WallMs(time.time_ns() // 1_000_000)


def explained(command: Callable[..., None]) -> Callable[..., None]:
    """A failure is a sentence and exit code 1, never a traceback."""

    @wraps(command)
    def run(**given: Any) -> None:
        for catalogue in (CATALOGUE, i18n.CATALOGUE):
            catalogue.compile()
            catalogue.use(os.environ.get("LOALANG_LANG", ""))
        try:
            command(**given)
        except (ProvisioningError, KeyStoreError, DocumentError, ValueError, OSError) as error:
            Console(stderr=True).print(_("This did not work:"), str(error), markup=False, style="red")
            if isinstance(error, DocumentError) and (hint := _hint(error.refusal)):
                Console(stderr=True).print(hint, markup=False)
            raise typer.Exit(1) from error

    return run


def _hint(refusal: Refusal) -> str:
    """What to look at when a document that is being made would be refused; empty when its own words are enough."""
    if refusal is Refusal.UNKNOWN_KEY:
        return _("None of these keys may sign this. Compare --sign-with with the keys of the nearest --parent.")
    if refusal is Refusal.GRANT_WITHOUT_PARENT:
        return _("A grant above it is missing. Name all of them up to the anchor with --parent, the nearest first.")
    if refusal is Refusal.GRANT_WIDER_THAN_PARENT:
        return _(
            "It reaches further than the grant above it. Compare scope, verbs and end, and give it a smaller --depth."
        )
    return ""


def printable(text: str) -> str:
    """A text from outside, such as a file's name: what could steer the terminal or fool the eye is spelled out."""
    return "".join(one if one.isprintable() else ascii(one)[1:-1] for one in text)


def megabytes(size_bytes: int) -> str:
    """A size for people."""
    return f"{size_bytes / 1_000_000:.1f} MB"
