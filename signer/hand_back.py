"""Hands signed envelopes to the controller; they authorise themselves, so there is no login."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import aiohttp

from protocol.codec import build, parse_json
from protocol.errors import DocumentError

_logger = logging.getLogger(__name__)
_TIMEOUT: Final = aiohttp.ClientTimeout(total=20, sock_connect=5)
_ANSWER_BYTES_MAX: Final = 64 * 1024


@dataclass(frozen=True, slots=True)
class Result:
    """What the controller did with one envelope: accepted, partial or refused."""

    digest: str
    kind: str
    state: str
    refusal: str | None = None
    detail: str | None = None


@dataclass(frozen=True, slots=True)
class _Answer:
    results: tuple[Result, ...]


class ControllerAwayError(Exception):
    """The controller was not reached or gave no answer that can be read."""


def body_of(envelopes: Sequence[str]) -> bytes:
    """The file or request that carries packed envelopes."""
    return json.dumps({"envelopes": list(envelopes)}).encode()


async def hand_back(session: aiohttp.ClientSession, controller: str, envelopes: Sequence[str]) -> tuple[Result, ...]:
    """Posts the envelopes.

    Raises:
        ControllerAwayError: not reached; try again or carry the file.
    """
    address = f"{controller.rstrip('/')}/api/v1/envelopes"
    headers = {"Content-Type": "application/json"}
    try:
        async with session.post(
            address, data=io.BytesIO(body_of(envelopes)), headers=headers, timeout=_TIMEOUT, allow_redirects=False
        ) as answer:
            data = await answer.content.read(_ANSWER_BYTES_MAX)
            if answer.status != 200:
                raise ControllerAwayError(f"status {answer.status}")
        return build(_Answer, parse_json(data, bytes_max=_ANSWER_BYTES_MAX)).results
    except (aiohttp.ClientError, TimeoutError, OSError, DocumentError) as error:
        _logger.warning("the controller did not take the envelopes: %s", error)
        raise ControllerAwayError(str(error)) from error
