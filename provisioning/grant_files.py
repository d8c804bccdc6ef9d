"""Grants as files, and the way they come to a controller."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Final

import aiohttp

from protocol import codec
from protocol.document import Kind, kind_of
from protocol.envelope import Envelope, unpack
from protocol.errors import DocumentError
from protocol.grants import Grant
from protocol.limits import ALERT_ENVELOPE_BYTES_MAX, ENVELOPE_BYTES_MAX
from provisioning.errors import ProvisioningError, UnreachableError
from provisioning.i18n import gettext as _
from signer.hand_back import ControllerAwayError, Result, hand_back

AT_ONCE_MAX: Final = 16
"""A controller takes no more envelopes in one request."""


async def post_grants(controller: str, grants: Iterable[Envelope]) -> tuple[Result, ...]:
    """Posts grants, or any signed envelopes, to a controller; posting again does no harm.

    Raises:
        UnreachableError: the controller did not answer.
    """
    packed = [one.pack().decode() for one in grants]
    results: list[Result] = []
    try:
        async with aiohttp.ClientSession() as session:
            for begin in range(0, len(packed), AT_ONCE_MAX):
                results += await hand_back(session, controller, packed[begin : begin + AT_ONCE_MAX])
            return tuple(results)
    except ControllerAwayError as error:
        words = _("The controller at %(address)s did not answer (%(why)s). Is it running?")
        raise UnreachableError(words % {"address": controller, "why": error}) from error


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
