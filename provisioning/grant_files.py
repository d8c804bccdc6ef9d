"""Grants as files, and the way they come to a controller."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import aiohttp

from protocol.envelope import Envelope, unpack
from protocol.errors import DocumentError
from protocol.limits import ENVELOPE_BYTES_MAX
from provisioning.errors import ProvisioningError, UnreachableError
from provisioning.i18n import gettext as _
from signer.hand_back import ControllerAwayError, Result, hand_back


async def post_grants(controller: str, grants: Iterable[Envelope]) -> tuple[Result, ...]:
    """Posts grants, or any signed envelopes, to a controller; posting again does no harm.

    Raises:
        UnreachableError: the controller did not answer.
    """
    packed = [one.pack().decode() for one in grants]
    try:
        async with aiohttp.ClientSession() as session:
            return await hand_back(session, controller, packed)
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
