"""Changes that keep enough of a document's shape to get past the first check: as bytes, as JSON, and within base64.

All chance comes from the random numbers that are handed in, so an input can be made again from its seed.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable
from random import Random
from typing import Any, Final

from protocol.document import Kind
from protocol.envelope import payload_type
from protocol.verbs import Verb

ODD_TEXTS: Final = (
    "",
    "\0",
    "\ud800",
    "\udcff",
    "e\u0301" * 40,
    "\u202e\u200b\ufeff",
    "\U0001f4e2" * 60,
    "a" * 10_000,
    "../../etc/passwd",
    "/",
    "vn//92",
    "vn/92\n",
    "None",
    "0x10",
    "１２",
    "9999-12-31",
    "0001-01-01",
    "{{7*7}}%(x)s%s",
)
ODD_NUMBERS: Final = (0, -1, 1, 7, 2**31, 2**53 - 1, 2**53, 2**63, -(2**63), 10**30)
FIELD_NUMBERS: Final = (
    0,
    1,
    2,
    16,
    20,
    40,
    64,
    100,
    127,
    128,
    255,
    256,
    1000,
    1001,
    4096,
    32_767,
    65_535,
    2**31,
    2**32 - 1,
)
"""What stands in lengths and counters of binary forms where it matters."""

KNOWN_WORDS: Final = (
    *(payload_type(kind) for kind in Kind),
    *Kind,
    *Verb,
    "anchor",
    "vn",
    "vn/9",
    "vn/92",
    "vn/92/31498",
    "vn/92/31498/c07",
    "priority",
    "weekly",
)
"""Words of ours in a wrong place: another kind, a wider scope."""

ODD_WORDS: Final = ("NaN", "Infinity", "1e999", "0.5", "1" * 5000, "-0", "true", "null", "[" * 3000, '{"a":' * 40)
_ENTRIES_MAX: Final = 300
_BYTES_MAX: Final = 200_000
"""Growth upon growth must not eat the memory that the parsers are held to."""
_RAW: Final = "\x01raw\x01"
FOREIGN: Final = (
    b"",
    b"\xef\xbb\xbf{}",
    '{"payload":"x"}'.encode("utf-16"),
    # A CBOR map, and CBOR arrays 500 deep: nothing of ours reads CBOR, so it is refused like any bytes.
    bytes.fromhex("a2677061796c6f616444deadbeef6a7369676e61747572657380"),
    b"\x81" * 500 + b"\x00",
    # A zip whose only entry claims four gigabytes, a gzip, and a zlib stream cut off: nothing of ours unpacks them.
    b"PK\x03\x04\x14\x00\x00\x00\x08\x00"
    + bytes(8)
    + b"\xff\xff\xff\xff" * 2
    + b"\x04\x00\x00\x00a.js"
    + b"\x03\x00",
    b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03\xed\xc1\x01\r\x00\x00\x00\xc2\xa0\xf7O",
    b"x\x9c\xed\xc1\x01",
)
"""Forms that we do not speak; they begin every corpus."""


def mutated(data: bytes, random: Random) -> bytes:
    """The data with a few changes; most often one, for two refusals tell no more than the first."""
    for _ in range(random.choice((1, 1, 1, 2, 4))):
        data = _once(data, random)[:_BYTES_MAX]
    return data


def _once(data: bytes, random: Random, depth: int = 0) -> bytes:
    if random.random() < 0.85:
        try:
            value = json.loads(data)
        except (ValueError, RecursionError):
            pass
        else:
            return written(_changed(value, random, depth), random)
    return _bytes_changed(data, random)


def written(value: Any, random: Random) -> bytes:
    """JSON text, now and then with a key that stands twice or a word where a value should be."""
    ascii_only = random.random() < 0.5
    text = json.dumps(value, ensure_ascii=ascii_only, separators=(",", ":"), sort_keys=random.random() < 0.5)
    raw = json.dumps(_RAW)
    while raw in text:
        text = text.replace(raw, random.choice(ODD_WORDS), 1)
    if random.random() < 0.05:
        text = text.replace("{", '{"scope":"vn","scope":"vn/92",', 1)
    return text.encode("utf-8", "surrogatepass")


def _changed(value: Any, random: Random, depth: int) -> Any:
    """The value with one place changed, anywhere in it."""
    if isinstance(value, dict) and value and random.random() < 0.9:
        return _changed_object(value, random, depth)
    if isinstance(value, list) and value and random.random() < 0.9:
        return _changed_list(value, random, depth)
    if isinstance(value, str) and depth < 4 and random.random() < 0.6:
        return _changed_text(value, random, depth)
    if isinstance(value, int) and random.random() < 0.5:
        return random.choice((value + 1, value - 1, -value, value * 1000, str(value)))
    return _odd(random)


def _changed_object(value: dict[str, Any], random: Random, depth: int) -> dict[str, Any]:
    made, name = dict(value), random.choice(sorted(value))
    act = random.random()
    if act < 0.08:
        del made[name]
    elif act < 0.12:
        made[random.choice(ODD_TEXTS)] = made.pop(name)
    elif act < 0.16:
        made[f"more-{random.randint(0, 9)}"] = _odd(random)
    else:
        made[name] = _changed(made[name], random, depth)
    return made


def _changed_list(value: list[Any], random: Random, depth: int) -> list[Any]:
    made, at, act = list(value), random.randrange(len(value)), random.random()
    if act < 0.1:
        del made[at]
    elif act < 0.2:
        made.insert(at, random.choice(made))
    elif act < 0.25:
        made = (made * random.choice((2, 70, 300)))[:_ENTRIES_MAX] if len(made) < _ENTRIES_MAX else made
    elif act < 0.35:
        random.shuffle(made)
    else:
        made[at] = _changed(made[at], random, depth)
    return made


def _changed_text(text: str, random: Random, depth: int) -> str:
    """Documents lie within envelopes as base64, envelopes within parcels as text: changes go down into them."""
    try:
        inner = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        inner = b""
    if inner and len(text) > 40:
        return base64.b64encode(_once(inner, random, depth + 1)).decode()
    if text.startswith("{"):
        return _once(text.encode("utf-8", "surrogatepass"), random, depth + 1).decode("utf-8", "surrogateescape")
    if random.random() < 0.4:
        return str(random.choice(KNOWN_WORDS))
    at = random.randint(0, len(text))
    return (
        text[:at] + random.choice(("", "\0", "\ud800", "A", "0", "/", "=", "\n")) + text[at + random.randint(0, 2) :]
    )


def _odd(random: Random) -> Any:
    made: tuple[Callable[[], Any], ...] = (
        lambda: random.choice(ODD_TEXTS),
        lambda: random.choice(ODD_NUMBERS),
        lambda: random.choice((None, True, False, [], {}, [[]], {"kind": "programme"})),
        lambda: _RAW,
        lambda: [_odd(random) for _ in range(random.randint(0, 3))],
    )
    return random.choice(made)()


def _bytes_changed(data: bytes, random: Random) -> bytes:
    # Heads are where lengths and kinds stand.
    made, at = bytearray(data), random.randint(0, min(len(data), random.choice((64, len(data)))))
    act = random.randint(0, 11)
    if act == 0 and at < len(made):
        made[at] = random.randint(0, 255)
    elif act == 1 and at < len(made):
        made[at] ^= 1 << random.randint(0, 7)
    elif act == 2:
        del made[at : at + random.randint(1, 20)]
    elif act == 3:
        del made[at:]
    elif act == 4:
        made[at:at] = bytes(random.randint(0, 255) for _ in range(random.randint(1, 8)))
    elif act == 5:
        made[at:at] = made[at : at + random.randint(1, 64)] * random.choice((1, 2, 40))
    elif act == 6:
        made[at:at] = random.choice(FOREIGN)[:200]
    else:
        size = random.choice((1, 2, 2, 4))
        number = random.choice(FIELD_NUMBERS) % 256**size
        made[at : at + size] = number.to_bytes(size, random.choice(("big", "big", "little")))
    return bytes(made)
