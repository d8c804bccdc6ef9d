"""What is asked at the keyboard. Questions go to stderr: what a command prints may be read by another program."""

from __future__ import annotations

import os
import unicodedata
from pathlib import Path
from typing import Final

import typer

from provisioning.errors import ProvisioningError
from provisioning.i18n import gettext as _

PASSPHRASE: Final = "LOALANG_PASSPHRASE"  # noqa: S105
"""For scripts: read instead of asking. Where several keys are opened, they must share it."""
NEW_PASSPHRASE: Final = "LOALANG_NEW_PASSPHRASE"  # noqa: S105
_PASSPHRASE_CHARS_MIN: Final = 10
_YES: Final = frozenset({"y", "yes", "c", "co"})


def ask_secret(question: str) -> str:
    """Something that nobody may read over a shoulder."""
    typed: str = typer.prompt(question, hide_input=True, err=True)
    return typed


def ask_passphrase(path: Path) -> str:
    """The passphrase of a key file, asked for by its name: several may be asked for in a row."""
    return os.environ.get(PASSPHRASE) or ask_secret(_("Passphrase of %(path)s") % {"path": path})


def new_passphrase(name: str, *, variable: str = PASSPHRASE) -> str:
    """A passphrase for what has this name: typed twice, or from the environment.

    Raises:
        ProvisioningError: it is too short.
    """
    typed = os.environ.get(variable) or _typed_twice(name)
    if len(typed.strip()) < _PASSPHRASE_CHARS_MIN:
        raise ProvisioningError(_("A passphrase has at least ten characters."))
    return typed


def _typed_twice(name: str) -> str:
    while True:
        typed = ask_secret(_("New passphrase for %(name)s") % {"name": name})
        if ask_secret(_("The same passphrase again")) == typed:
            return typed
        typer.echo(_("The two are not the same. Please type the passphrase anew."), err=True)


def confirm_signing() -> None:
    """Asks before anything is signed.

    Raises:
        ProvisioningError: it is not wanted.
    """
    question = _("Is this what you want to sign?") + " " + _("[y/N]")
    typed: str = typer.prompt(question, default="", show_default=False, err=True)
    if _bare(typed) not in _YES:
        raise ProvisioningError(_("Nothing was signed."))


def _bare(word: str) -> str:
    """Without case and marks: not every keyboard writes them."""
    letters = unicodedata.normalize("NFD", word.strip().casefold())
    return "".join(one for one in letters if not unicodedata.combining(one))
