"""What a dataclass's types and bounds say about a value, made once into functions that read and write it.

A device reads each alert, grant and schedule by these, and a controller thousands of reports a second, so the types
are looked at once for each dataclass and never again; the place of a value that does not fit is put together only
when one does not.
"""

from __future__ import annotations

import dataclasses
import re
import types
import typing
from collections.abc import Callable, Mapping
from enum import Enum
from functools import cache
from typing import Any

from protocol.limits import INTEGER_MAX, TEXT_CHARS_MAX

_SURROGATE = re.compile("[\ud800-\udfff]")
_COUNT_MAX = 256
_AS_IT_IS = frozenset({str, int, bool, type(None)})

Reader = Callable[[Any], Any]


@dataclasses.dataclass(frozen=True, slots=True)
class Bounds:
    """What a field's value may be: characters of a text, items of a list, range of a number."""

    chars_max: int = TEXT_CHARS_MAX
    count_max: int = _COUNT_MAX
    low: int = 0
    high: int = INTEGER_MAX


_PLAIN = Bounds()


class MisfitError(Exception):
    """A value is not what its place wants.

    Attributes:
        at: where, from the value that was read: `.parts[0].text`.
        what: what is wrong with it, to be read after the place.
    """

    def __init__(self, what: str, at: str = "") -> None:
        super().__init__(what)
        self.at, self.what = at, what


@cache
def reader_of(kind: typing.Hashable) -> Reader:
    """Reads a dataclass, which is a type, from parsed JSON. What it gives raises MisfitError."""
    assert isinstance(kind, type), "a dataclass is a type"
    return _record(kind)


def _record(kind: type[Any]) -> Reader:
    hints = typing.get_type_hints(kind)
    fields = tuple(
        (one.name, _reader(hints[one.name], one.metadata.get("bounds", _PLAIN)), one.default is dataclasses.MISSING)
        for one in dataclasses.fields(kind)
    )

    def read(value: Any) -> Any:
        if not isinstance(value, Mapping):
            raise MisfitError(" is not an object")
        made: dict[str, Any] = {}
        for name, inner, needed in fields:
            if name in value:
                try:
                    made[name] = inner(value[name])
                except MisfitError as error:
                    error.at = f".{name}{error.at}"
                    raise
            elif needed:
                raise MisfitError(" is missing", f".{name}")
        try:
            return kind(**made)
        except ValueError as error:
            raise MisfitError(f": {error}") from error

    return read


def _reader(hint: Any, bounds: Bounds) -> Reader:
    origin = typing.get_origin(hint)
    if origin in (typing.Union, types.UnionType):
        return _union(typing.get_args(hint), bounds)
    if origin is tuple:
        return _list(_reader(typing.get_args(hint)[0], bounds), bounds)
    plain = getattr(hint, "__supertype__", hint)
    if dataclasses.is_dataclass(plain):
        return reader_of(typing.cast(typing.Hashable, plain))
    if isinstance(plain, type) and issubclass(plain, Enum):
        return _enum(plain)
    return {str: _text, int: _number, bool: _flag}[plain](bounds)


def _union(choices: tuple[Any, ...], bounds: Bounds) -> Reader:
    kinds = [choice for choice in choices if choice is not type(None)]
    inner = _reader(kinds[0], bounds) if len(kinds) == 1 else _variant(kinds)
    if len(kinds) == len(choices):
        return inner
    return lambda value: None if value is None else inner(value)


def _variant(kinds: list[Any]) -> Reader:
    readers = {kind.KIND: reader_of(kind) for kind in kinds}
    wanted = " is not one of " + ", ".join(readers)

    def read(value: Any) -> Any:
        name = value.get("kind") if isinstance(value, Mapping) else None
        chosen = readers.get(name) if isinstance(name, str) else None
        if chosen is None:
            raise MisfitError(wanted)
        return chosen(value)

    return read


def _list(inner: Reader, bounds: Bounds) -> Reader:
    def read(value: Any) -> tuple[Any, ...]:
        if not isinstance(value, list):
            raise MisfitError(" is not a list")
        if len(value) > bounds.count_max:
            raise MisfitError(f" has more than {bounds.count_max} entries")
        made: list[Any] = []
        try:
            for one in value:
                made.append(inner(one))
        except MisfitError as error:
            error.at = f"[{len(made)}]{error.at}"
            raise
        return tuple(made)

    return read


def _enum(kind: type[Enum]) -> Reader:
    wanted = " is not one of " + ", ".join(str(one.value) for one in kind)

    def read(value: Any) -> Enum:
        try:
            return kind(value)
        except ValueError as error:
            raise MisfitError(wanted) from error

    return read


def _text(bounds: Bounds) -> Reader:
    def read(value: Any) -> str:
        if type(value) is not str:
            raise MisfitError(" is not a text")
        if len(value) > bounds.chars_max:
            raise MisfitError(f" is longer than {bounds.chars_max} characters")
        if not value.isascii() and _SURROGATE.search(value):
            raise MisfitError(" is not text that can be written as UTF-8")
        return value

    return read


def _number(bounds: Bounds) -> Reader:
    low, high = bounds.low, bounds.high

    def read(value: Any) -> int:
        if type(value) is not int:
            raise MisfitError(" is not a whole number")
        if not low <= value <= high:
            raise MisfitError(f" is not within {low} and {high}")
        return value

    return read


def _flag(_: Bounds) -> Reader:
    def read(value: Any) -> bool:
        if type(value) is not bool:
            raise MisfitError(" is not true or false")
        return value

    return read


@cache
def _names(kind: typing.Hashable) -> tuple[str, ...] | None:
    if not (isinstance(kind, type) and dataclasses.is_dataclass(kind)):
        return None
    return tuple(one.name for one in dataclasses.fields(kind))


def plain(value: Any) -> Any:
    """A document as JSON values; fields that are None are left out."""
    kind = type(value)
    if kind in _AS_IT_IS:
        return value
    if isinstance(value, tuple):
        return [plain(inner) for inner in value]
    names = _names(typing.cast(typing.Hashable, kind))
    if names is None:
        return value.value if isinstance(value, Enum) else value
    made = {name: plain(inner) for name in names if (inner := getattr(value, name)) is not None}
    if hasattr(kind, "KIND"):
        made["kind"] = kind.KIND
    return made
