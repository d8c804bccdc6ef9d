"""Events as lines of text and back, so a journal can hold them; every kind of event goes there and back unchanged."""

from __future__ import annotations

import base64
import dataclasses
import json
import types
import typing
from enum import Enum
from functools import cache
from typing import Any, Final

from edge.core.events import Event
from protocol.clock import ClockTrust, MonoMs, Now, WallMs

_KINDS: Final[dict[str, type[Event]]] = {kind.__name__: kind for kind in typing.get_args(Event)}


def encode_line(now: Now, event: Event) -> bytes:
    """One line: monotonic and wall milliseconds, kind, and the fields that are not empty."""
    fields = {field.name: _plain(getattr(event, field.name)) for field in dataclasses.fields(event)}
    told = {name: value for name, value in fields.items() if value is not None}
    line = [now.mono, now.wall, type(event).__name__, told]
    return json.dumps(line, separators=(",", ":"), ensure_ascii=False).encode() + b"\n"


def decode_line(line: bytes) -> tuple[Now, Event]:
    """What `encode_line` was given.

    Raises:
        ValueError: it is not such a line, as the last one of a file may be after a power cut.
    """
    try:
        mono, wall, name, told = json.loads(line.decode())
        kind = _KINDS[name]
        fields: dict[str, Any] = {
            field: _read(hint, told[field])
            for field, hint in _hints(typing.cast(typing.Hashable, kind)).items()
            if field in told
        }
        now = Now(MonoMs(_read(int, mono)), WallMs(_read(int, wall)), ClockTrust.NONE)
        return now, _made(kind, fields)
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise ValueError(f"not a line of a journal: {line[:80]!r}") from error


def _made(kind: type[Event], fields: dict[str, Any]) -> Event:
    for name, hint in _hints(typing.cast(typing.Hashable, kind)).items():
        if name not in fields and type(None) in typing.get_args(hint):
            fields[name] = None
    return kind(**fields)


@cache
def _hints(kind: Any) -> dict[str, Any]:
    hints = typing.get_type_hints(kind)
    return {field.name: hints[field.name] for field in dataclasses.fields(kind)}


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, tuple):
        return [_plain(one) for one in value]
    return value


def _read(hint: Any, value: Any) -> Any:
    if typing.get_origin(hint) in (types.UnionType, typing.Union):
        hint = next(one for one in typing.get_args(hint) if one is not type(None))
    if typing.get_origin(hint) is tuple:
        return tuple(_read(typing.get_args(hint)[0], one) for one in value)
    if hint is bytes:
        return base64.b64decode(value, validate=True)
    if isinstance(hint, type) and issubclass(hint, Enum):
        return hint(value)
    if type(value) is not getattr(hint, "__supertype__", hint):
        raise TypeError("a value of another kind than was written")
    if isinstance(value, str):
        value.encode()  # half a letter, which no adapter ever told
    return value
