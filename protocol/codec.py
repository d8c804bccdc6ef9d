"""JSON bytes to frozen dataclasses and back, bounded and strict.

The dataclass is the schema. Numbers are whole; there are no floats on the wire, so a document has one byte form.
Unknown fields are ignored when read and kept where the bytes are kept, so an older device obeys a newer document.
A field may narrow its bounds through its metadata, made by `bounded`.
"""

from __future__ import annotations

import json
from collections.abc import Hashable
from typing import Any, TypeVar, cast

from protocol.errors import DocumentError, Refusal
from protocol.limits import JSON_DEPTH_MAX, JSON_VALUES_MAX, TEXT_CHARS_MAX
from protocol.shape import Bounds, MisfitError, plain, reader_of

T = TypeVar("T")


def bounded(**bounds: int) -> dict[str, Bounds]:
    """Field metadata with narrower bounds: `field(metadata=bounded(chars_max=500))`."""
    return {"bounds": Bounds(**bounds)}


def encode(document: object) -> bytes:
    """The one byte form of a document: sorted keys, no spaces, UTF-8; None fields are left out."""
    return _ENCODER.encode(plain(document)).encode()


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
    opened = data.count(b"[") + data.count(b"{")
    if opened + data.count(b",") > values_max:
        raise DocumentError(Refusal.TOO_LARGE, f"more than {values_max} values")
    try:
        value = _DECODER.decode(data.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise DocumentError(Refusal.MALFORMED_DOCUMENT, str(error)[:TEXT_CHARS_MAX]) from error
    if opened > JSON_DEPTH_MAX:
        _check_depth(value, JSON_DEPTH_MAX)
    return value


def _refuse_number(text: str) -> Any:
    raise ValueError(f"not a whole number: {text[:20]}")


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise ValueError("a key stands twice in one object")
    return made


_ENCODER = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False)
_DECODER = json.JSONDecoder(parse_float=_refuse_number, parse_constant=_refuse_number, object_pairs_hook=_unique_keys)


def _check_depth(value: dict[str, Any] | list[Any], left: int) -> None:
    if left == 0:
        raise DocumentError(Refusal.MALFORMED_DOCUMENT, "nested too deeply")
    for inner in value.values() if isinstance(value, dict) else value:
        if isinstance(inner, (dict, list)):
            _check_depth(inner, left - 1)


def build(kind: type[T], value: Any, at: str = "$") -> T:
    """Builds a dataclass from parsed JSON; `at` names the place for the error."""
    try:
        made: T = reader_of(cast(Hashable, kind))(value)
    except MisfitError as error:
        detail = f"{at}{error.at}{error.what}"[:TEXT_CHARS_MAX]
        raise DocumentError(Refusal.MALFORMED_DOCUMENT, detail) from error
    return made
