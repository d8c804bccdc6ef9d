"""Reads JSON that a stranger may have sent; whatever is wrong with it is one kind of error.

Python's reader knows four: broken text, nesting beyond its stack, numbers of too many digits, and half letters,
which no database takes.
"""

from __future__ import annotations

import json
from typing import Any


def loads(text: str) -> Any:
    """The value; a reader for `request.json(loads=...)`.

    Raises:
        json.JSONDecodeError: it is none that we would store.
    """
    try:
        value = json.loads(text, parse_constant=_refuse)
        json.dumps(value, ensure_ascii=False).encode()
    except json.JSONDecodeError:
        raise
    except (ValueError, RecursionError) as error:
        raise json.JSONDecodeError(str(error), "", 0) from error
    return value


def _refuse(name: str) -> Any:
    raise ValueError(f"{name} is not a number of JSON")
