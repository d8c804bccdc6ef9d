"""What every command shares: the present, the console, and failures as sentences."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from functools import wraps
from typing import Any, Final

import typer
from rich.console import Console

from protocol.clock import WallMs
from protocol.errors import DocumentError
from provisioning.errors import ProvisioningError
from provisioning.i18n import CATALOGUE
from provisioning.i18n import gettext as _
from signer import i18n
from signer.errors import KeyStoreError

console: Final = Console()


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
            raise typer.Exit(1) from error

    return run


def printable(text: str) -> str:
    """A text from outside, such as a file's name: what could steer the terminal or fool the eye is spelled out."""
    return "".join(one if one.isprintable() else ascii(one)[1:-1] for one in text)


def megabytes(size_bytes: int) -> str:
    """A size for people."""
    return f"{size_bytes / 1_000_000:.1f} MB"
