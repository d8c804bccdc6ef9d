"""The way of signed files to a controller; apart from the files themselves, because only this needs a network."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import aiohttp

from protocol.envelope import Envelope
from provisioning.errors import UnreachableError
from provisioning.i18n import gettext as _
from signer.hand_back import ControllerAwayError, Result, hand_back

AT_ONCE_MAX: Final = 16
"""A controller takes no more envelopes in one request."""


async def post_envelopes(controller: str, envelopes: Iterable[Envelope]) -> tuple[Result, ...]:
    """Posts grants, or any signed envelopes, to a controller; posting again does no harm.

    Raises:
        UnreachableError: the controller did not answer.
    """
    packed = [one.pack().decode() for one in envelopes]
    results: list[Result] = []
    try:
        async with aiohttp.ClientSession() as session:
            for begin in range(0, len(packed), AT_ONCE_MAX):
                results += await hand_back(session, controller, packed[begin : begin + AT_ONCE_MAX])
            return tuple(results)
    except ControllerAwayError as error:
        words = _("The controller at %(address)s did not answer (%(why)s). Is it running?")
        raise UnreachableError(words % {"address": controller, "why": error}) from error
