"""Reads files of grants, denials and assignments in any form they travel in: one envelope, or several in a list."""

from __future__ import annotations

from protocol.codec import parse_json
from protocol.envelope import Envelope, unpack
from protocol.errors import DocumentError
from signer.authority_line import read_packed
from signer.errors import RequestRefusedError
from signer.i18n import gettext as _

FILE_BYTES_MAX = 16 * 1024 * 1024
_ENVELOPES_MAX = 4096


def read_words(data: bytes) -> tuple[Envelope, ...]:
    """The envelopes of a file.

    Raises:
        RequestRefusedError: there is none in it.
    """
    try:
        saved = parse_json(data, bytes_max=FILE_BYTES_MAX)
        if isinstance(saved, dict) and isinstance(saved.get("envelopes"), list):
            return read_packed(tuple(str(one) for one in saved["envelopes"][:_ENVELOPES_MAX]))
        return (unpack(data),)
    except DocumentError as error:
        raise RequestRefusedError(_("This file holds no signed document: %(why)s") % {"why": error}) from error
