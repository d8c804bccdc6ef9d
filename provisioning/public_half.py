"""The public half of a key as it is named on a command line: 64 digits, or a file in which they stand."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Final

from protocol import sealed
from protocol.keys import public_key
from provisioning.errors import ProvisioningError
from provisioning.i18n import gettext as _

_DIGITS: Final = re.compile("[0-9a-f]{64}")
_ALONE: Final = re.compile(r"(?<![0-9A-Za-z])[0-9a-f]{64}(?![0-9A-Za-z])")
_FILE_BYTES_MAX: Final = 64 * 1024


def signing_half(named: str) -> str:
    """The public half of a signing key: from the digits, a key file, or a file of what `keys make` printed.

    Raises:
        ProvisioningError: it is none of them.
    """
    found = _digits(named, field="public")
    if found is None:
        words = _("Give a key file, or the 64 digits that keys make printed. %(named)s is neither.")
        raise ProvisioningError(words % {"named": named})
    return public_key(found)


def log_half(named: str) -> str:
    """The same for the log key.

    Raises:
        ProvisioningError: it is none of them.
    """
    found = _digits(named, field="log_key")
    if found is None:
        words = _("Give the log key's file, or the 64 digits that logs key printed. %(named)s is neither.")
        raise ProvisioningError(words % {"named": named})
    return sealed.log_key(found)


def _digits(named: str, *, field: str) -> str | None:
    if _DIGITS.fullmatch(named):
        return named
    try:
        with Path(named).open("rb") as file:
            text = file.read(_FILE_BYTES_MAX).decode()
    except (OSError, ValueError):
        return None
    try:
        saved = json.loads(text)
    except (ValueError, RecursionError):
        alone = {*_ALONE.findall(text)}
        return alone.pop() if len(alone) == 1 else None
    found = saved.get(field) if isinstance(saved, dict) else None
    return found if isinstance(found, str) else None
