"""JSON bytes to frozen dataclasses and back, bounded and strict.

The dataclass is the schema. Numbers are whole; there are no floats on the wire, so a document has one byte form.
Unknown fields are ignored when read and kept where the bytes are kept, so an older device obeys a newer document.
A field may narrow its bounds through its metadata, made by `bounded`.
"""

from __future__ import annotations

import dataclasses
import json
import re
import types
import typing
from collections.abc import Mapping
from enum import Enum
from functools import cache
from typing import Any, TypeVar

from protocol.errors import DocumentError, Refusal
from protocol.limits import INTEGER_MAX, JSON_DEPTH_MAX, JSON_VALUES_MAX, TEXT_CHARS_MAX

T = TypeVar("T")

_SURROGATE = re.compile("[\ud800-\udfff]")

_COUNT_MAX = 256


@dataclasses.dataclass(frozen=True, slots=True)
class Bounds:
    """What a field's value may be: characters of a text, items of a list, range of a number."""

    chars_max: int = TEXT_CHARS_MAX
    count_max: int = _COUNT_MAX
    low: int = 0
    high: int = INTEGER_MAX


_PLAIN = Bounds()


def bounded(**bounds: int) -> dict[str, Bounds]:
    """Field metadata with narrower bounds: `field(metadata=bounded(chars_max=500))`."""
    return {"bounds": Bounds(**bounds)}


def encode(document: object) -> bytes:
    """The one byte form of a document: sorted keys, no spaces, UTF-8; None fields are left out."""
    return json.dumps(_plain(document), sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value):
        fields = ((field.name, getattr(value, field.name)) for field in dataclasses.fields(value))
        made = {name: _plain(inner) for name, inner in fields if inner is not None}
        return made | {"kind": value.KIND} if hasattr(value, "KIND") else made
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, tuple):
        return [_plain(inner) for inner in value]
    return value


def decode(kind: type[T], data: bytes, *, bytes_max: int, values_max: int = JSON_VALUES_MAX) -> T:
    """Reads a document.

    Raises:
        DocumentError: too large, not JSON, or not of this kind; the detail names the place.
    """
    return build(kind, parse_json(data, bytes_max=bytes_max, values_max=values_max))


def parse_json(data: bytes, *, bytes_max: int, values_max: int = JSON_VALUES_MAX) -> Any:
    """Bounded, strict JSON: no floats, no NaN, no repeated keys, limited depth and number of values.

    Values are counted by what stands between them, before anything is parsed: a megabyte of empty lists would hold
    a small machine up for a second, and the microphone with it.
    """
    if len(data) > bytes_max:
        raise DocumentError(Refusal.TOO_LARGE, f"{len(data)} bytes, at most {bytes_max}")
    if sum(data.count(mark) for mark in (b",", b"[", b"{")) > values_max:
        raise DocumentError(Refusal.TOO_LARGE, f"more than {values_max} values")
    try:
        value = json.loads(
            data.decode("utf-8"),
            parse_float=_refuse_number,
            parse_constant=_refuse_number,
            object_pairs_hook=_unique_keys,
        )
    except (ValueError, RecursionError) as error:
        raise DocumentError(Refusal.MALFORMED_DOCUMENT, str(error)[:TEXT_CHARS_MAX]) from error
    _check_depth(value, JSON_DEPTH_MAX)
    return value


def _refuse_number(text: str) -> Any:
    raise ValueError(f"not a whole number: {text[:20]}")


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise ValueError("a key stands twice in one object")
    return made


def _check_depth(value: Any, left: int) -> None:
    if not isinstance(value, dict | list):
        return
    if left == 0:
        raise DocumentError(Refusal.MALFORMED_DOCUMENT, "nested too deeply")
    for inner in value.values() if isinstance(value, dict) else value:
        _check_depth(inner, left - 1)


def build(kind: type[T], value: Any, at: str = "$") -> T:
    """Builds a dataclass from parsed JSON; `at` names the place for the error."""
    if not isinstance(value, Mapping):
        raise _wrong(at, "an object")
    made: dict[str, Any] = {}
    for field, hint in _schema(typing.cast(typing.Hashable, kind)):
        place = f"{at}.{field.name}"
        if field.name in value:
            made[field.name] = _read(hint, value[field.name], field.metadata.get("bounds", _PLAIN), place)
        elif field.default is dataclasses.MISSING:
            raise DocumentError(Refusal.MALFORMED_DOCUMENT, f"{place} is missing")
    try:
        return kind(**made)
    except ValueError as error:
        raise DocumentError(Refusal.MALFORMED_DOCUMENT, f"{at}: {error}"[:TEXT_CHARS_MAX]) from error


@cache
def _schema(kind: Any) -> tuple[tuple[dataclasses.Field[Any], Any], ...]:
    hints = typing.get_type_hints(kind)
    return tuple((field, hints[field.name]) for field in dataclasses.fields(kind))


def _read(hint: Any, value: Any, bounds: Bounds, at: str) -> Any:
    origin = typing.get_origin(hint)
    if origin in (typing.Union, types.UnionType):
        return _read_union(typing.get_args(hint), value, bounds, at)
    if origin is tuple:
        return _read_list(typing.get_args(hint)[0], value, bounds, at)
    plain = getattr(hint, "__supertype__", hint)
    if dataclasses.is_dataclass(plain):
        return build(typing.cast(type[Any], plain), value, at)
    if isinstance(plain, type) and issubclass(plain, Enum):
        return _read_enum(plain, value, at)
    return _read_scalar(plain, value, bounds, at)


def _read_union(choices: tuple[Any, ...], value: Any, bounds: Bounds, at: str) -> Any:
    if value is None and type(None) in choices:
        return None
    kinds = [choice for choice in choices if choice is not type(None)]
    if len(kinds) == 1:
        return _read(kinds[0], value, bounds, at)
    name = value.get("kind") if isinstance(value, Mapping) else None
    for choice in kinds:
        if name == choice.KIND:
            return build(choice, value, at)
    raise _wrong(at, "one of " + ", ".join(choice.KIND for choice in kinds))


def _read_list(inner: Any, value: Any, bounds: Bounds, at: str) -> tuple[Any, ...]:
    if not isinstance(value, list):
        raise _wrong(at, "a list")
    if len(value) > bounds.count_max:
        raise DocumentError(Refusal.MALFORMED_DOCUMENT, f"{at} has more than {bounds.count_max} entries")
    return tuple(_read(inner, one, bounds, f"{at}[{index}]") for index, one in enumerate(value))


def _read_enum(kind: type[Enum], value: Any, at: str) -> Enum:
    try:
        return kind(value)
    except ValueError as error:
        raise _wrong(at, "one of " + ", ".join(str(one.value) for one in kind)) from error


def _read_scalar(kind: Any, value: Any, bounds: Bounds, at: str) -> Any:
    if type(value) is not kind:
        raise _wrong(at, {str: "a text", int: "a whole number", bool: "true or false"}[kind])
    if kind is str and len(value) > bounds.chars_max:
        raise DocumentError(Refusal.MALFORMED_DOCUMENT, f"{at} is longer than {bounds.chars_max} characters")
    if kind is str and _SURROGATE.search(value):
        raise _wrong(at, "text that can be written as UTF-8")
    if kind is int and not bounds.low <= value <= bounds.high:
        raise DocumentError(Refusal.MALFORMED_DOCUMENT, f"{at} is not within {bounds.low} and {bounds.high}")
    return value


def _wrong(at: str, wanted: str) -> DocumentError:
    return DocumentError(Refusal.MALFORMED_DOCUMENT, f"{at} is not {wanted}")
