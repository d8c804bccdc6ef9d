"""The JSON object in a request's body."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from aiohttp import web

from controller.web.explained import N_, Explained
from controller.web.strict_json import loads


async def json_body(request: web.Request) -> Mapping[str, Any]:
    """The object; empty when there is no body.

    Raises:
        Explained: it is something else.
    """
    if not request.can_read_body:
        return {}
    try:
        body = await request.json(loads=loads)
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise _malformed() from error
    if not isinstance(body, dict):
        raise _malformed()
    return body


def _malformed() -> Explained:
    return Explained(N_("The request's body is not a JSON object."), status=400, code="malformed")
