"""Asks the controller for all grants, denials and assignments in force; each is verified before it is believed."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from typing import Final

import aiohttp

from protocol import codec
from protocol.codec import bounded
from protocol.envelope import Envelope, unpack
from protocol.errors import DocumentError
from protocol.limits import ENVELOPE_BYTES_MAX
from signer.hand_back import ControllerAwayError

_logger = logging.getLogger(__name__)
_TIMEOUT: Final = aiohttp.ClientTimeout(total=30, sock_connect=5)
ANSWER_BYTES_MAX: Final = 16 * 1024 * 1024
_ENVELOPES_MAX: Final = 4096


@dataclass(frozen=True, slots=True)
class _Answer:
    envelopes: tuple[str, ...] = field(metadata=bounded(count_max=_ENVELOPES_MAX, chars_max=2 * ENVELOPE_BYTES_MAX))


async def fetch_authority(session: aiohttp.ClientSession, controller: str) -> tuple[Envelope, ...]:
    """What the controller says is in force; an envelope that cannot be read is left out.

    Raises:
        ControllerAwayError: no answer, or none that can be read.
    """
    address = f"{controller.rstrip('/')}/api/v1/authority"
    try:
        async with session.get(address, timeout=_TIMEOUT, allow_redirects=False) as answer:
            data = await _bounded(answer)
            if answer.status != 200:
                raise ControllerAwayError(f"status {answer.status}")
        return read_packed(codec.decode(_Answer, data, bytes_max=ANSWER_BYTES_MAX).envelopes)
    except (aiohttp.ClientError, TimeoutError, OSError, DocumentError) as error:
        _logger.debug("the controller did not tell its authority: %s", error)
        raise ControllerAwayError(str(error)) from error


def read_packed(packed: tuple[str, ...]) -> tuple[Envelope, ...]:
    """The envelopes of their texts; those that cannot be read are left out."""
    found = []
    for text in packed:
        try:
            found.append(unpack(text.encode("utf-8", "replace")))
        except DocumentError as error:
            _logger.warning("an envelope of the controller is not readable: %s", error)
    return tuple(found)


async def _bounded(answer: aiohttp.ClientResponse) -> bytes:
    made = bytearray()
    async for chunk in answer.content.iter_chunked(64 * 1024):
        made += chunk
        if len(made) > ANSWER_BYTES_MAX:
            raise ControllerAwayError("the answer is larger than it may be")
    return bytes(made)
