"""A settings file in JSON as frozen dataclasses, read strictly: whoever wrote it is told what to write instead.

A field's type is `str`, `int`, `bool`, another such dataclass, or one of these `| None`; its bounds stand in the
field's metadata, see `bounded`. Nothing is guessed, nothing is ignored: a misspelt key that was skipped would be a
loudspeaker without its relay.
"""

from __future__ import annotations

import json
import types
from collections.abc import Iterable, Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from pathlib import Path
from typing import Any, Final, TypeVar, get_args, get_type_hints

from hardware.errors import BoardError
from hardware.i18n import N_, Phrase

FILE_BYTES_MAX: Final = 64 * 1024
TEXT_CHARS_MAX: Final = 200
_SHOWN_CHARS_MAX: Final = 40
T = TypeVar("T")


def bounded(*, low: int = 0, high: int = 0, hexadecimal: bool = False) -> dict[str, Any]:
    """Metadata of a number.

    Args:
        hexadecimal: may also be written as text, such as "0x48": that is how i2cdetect and datasheets show it.
    """
    return {"low": low, "high": high, "hexadecimal": hexadecimal}


def read_file(path: Path, cls: type[T]) -> T:
    """Reads a settings file.

    Raises:
        BoardError: it is missing, too large, not JSON, or has something in it that cannot be.
    """
    try:
        with path.open("rb") as file:
            data = file.read(FILE_BYTES_MAX + 1)
    except OSError as error:
        raise BoardError(N_("%(path)s cannot be read: %(why)s"), path=path, why=error.strerror) from error
    try:
        return read_bytes(data, cls)
    except BoardError as error:
        raise BoardError("%(path)s: %(why)s", path=path, why=error) from error


def read_bytes(data: bytes, cls: type[T]) -> T:
    """Reads the content of a settings file. Raises BoardError."""
    if len(data) > FILE_BYTES_MAX:
        raise BoardError(N_("more than %(size)d KiB cannot be a settings file"), size=FILE_BYTES_MAX // 1024)
    try:
        value = json.loads(data, object_pairs_hook=_object)
    except (ValueError, RecursionError) as error:
        raise BoardError(N_("not JSON: %(why)s"), why=str(error)[:200]) from error
    return _build(cls, value, "")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        twice = next(key for key, _ in pairs if sum(key == other for other, _ in pairs) > 1)
        raise BoardError(N_("%(key)s is written twice in one place; keep one of them"), key=_shown(twice))
    return made


def _build(cls: type[T], value: object, where: str) -> T:
    if not isinstance(value, dict):
        words = N_("%(name)s is an object in braces { }, not %(found)s")
        raise BoardError(words, name=where or Phrase(N_("the file")), found=_shown(value))
    known = {one.name: one for one in fields(cls)}  # type: ignore[arg-type]
    hints = get_type_hints(cls)
    made: dict[str, Any] = {}
    for key, inner in value.items():
        if key not in known:
            words = N_("there is no setting %(name)s%(hint)s")
            raise BoardError(words, name=_shown(_join(where, key)), hint=did_you_mean(key, known))
        made[key] = _value(hints[key], inner, _join(where, key), known[key])
    for name, one in known.items():
        if name not in made and one.default is MISSING and one.default_factory is MISSING:
            raise BoardError(N_("%(name)s is missing"), name=_join(where, name))
    try:
        return cls(**made)
    except BoardError as error:
        if not where:
            raise
        raise BoardError("%(name)s: %(why)s", name=where, why=error) from error


def did_you_mean(key: str, known: Iterable[str]) -> Phrase:
    """What was probably meant, or all there is."""
    from difflib import get_close_matches

    near = get_close_matches(key[:TEXT_CHARS_MAX], list(known), 1)
    if near:
        return Phrase(N_("; did you mean %(name)s?"), {"name": repr(near[0])})
    return Phrase(N_(". Known are: %(names)s."), {"names": ", ".join(known)})


def _value(hint: Any, value: object, where: str, field: Field[Any]) -> object:
    if isinstance(hint, types.UnionType):
        if value is None:
            return None
        hint = next(one for one in get_args(hint) if one is not type(None))
    if is_dataclass(hint):
        return _build(hint, value, where)  # type: ignore[arg-type]
    if hint is bool:
        return _bool(value, where)
    return _text(value, where) if hint is str else _number(value, where, field.metadata)


def _bool(value: object, where: str) -> bool:
    if not isinstance(value, bool):
        raise BoardError(N_("%(name)s is true or false, not %(found)s"), name=where, found=_shown(value))
    return value


def _text(value: object, where: str) -> str:
    if not isinstance(value, str):
        raise BoardError(N_("%(name)s is text in quotation marks, not %(found)s"), name=where, found=_shown(value))
    if len(value) > TEXT_CHARS_MAX or not value.isprintable():
        words = N_("%(name)s has at most %(most)d characters, all printable; it has %(count)d")
        raise BoardError(words, name=where, most=TEXT_CHARS_MAX, count=len(value))
    return value


def _number(value: object, where: str, metadata: Mapping[str, Any]) -> int:
    low, high, hexadecimal = metadata["low"], metadata["high"], metadata["hexadecimal"]
    number = _from_hexadecimal(value) if hexadecimal and isinstance(value, str) else value
    if isinstance(number, bool) or not isinstance(number, int) or not low <= number <= high:
        words = N_("%(name)s is a whole number from %(low)s to %(high)s, not %(found)s")
        if hexadecimal:
            words, low, high = N_('%(name)s is "%(low)s" to "%(high)s", not %(found)s'), f"{low:#04x}", f"{high:#04x}"
        raise BoardError(words, name=where, low=low, high=high, found=_shown(value))
    return number


def _from_hexadecimal(text: str) -> int | str:
    try:
        return int(text[:8], 16) if text.lower().startswith("0x") else text
    except ValueError:
        return text


def _join(where: str, key: str) -> str:
    return f"{where}.{key}" if where else key


def _shown(value: object) -> str:
    try:
        text = json.dumps(value, ensure_ascii=False)
    except (ValueError, RecursionError):
        text = "that"
    return text if len(text) <= _SHOWN_CHARS_MAX else text[:_SHOWN_CHARS_MAX] + "…"
