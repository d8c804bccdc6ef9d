"""Grants as files."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from protocol import codec
from protocol.document import Kind, kind_of
from protocol.envelope import Envelope, unpack
from protocol.errors import DocumentError
from protocol.grants import Grant
from protocol.limits import ALERT_ENVELOPE_BYTES_MAX, ENVELOPE_BYTES_MAX
from provisioning.errors import ProvisioningError
from provisioning.i18n import gettext as _


def read_envelope(path: Path) -> Envelope:
    """Reads one envelope file.

    Raises:
        ProvisioningError: it is none.
    """
    try:
        with path.open("rb") as file:
            return unpack(file.read(ENVELOPE_BYTES_MAX + 1))
    except (OSError, DocumentError) as error:
        words = _("%(path)s is not a signed document: %(why)s")
        raise ProvisioningError(words % {"path": path, "why": error}) from error


def read_grant(envelope: Envelope) -> Grant:
    """The grant in an envelope; its signatures are checked elsewhere.

    Raises:
        DocumentError: it carries something else.
    """
    if kind_of(envelope) is not Kind.GRANT:
        raise ProvisioningError(_("This file is not a grant."))
    return codec.decode(Grant, envelope.payload, bytes_max=ALERT_ENVELOPE_BYTES_MAX)


def read_chain(paths: Iterable[Path]) -> tuple[Envelope, ...]:
    """The grants of some files.

    Raises:
        ProvisioningError: one of them cannot be read.
    """
    return tuple(read_envelope(path) for path in paths)
