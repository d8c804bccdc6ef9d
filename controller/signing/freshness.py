"""The controller's own key: it signs the time for a device's nonce, and heads. It never makes anything play."""

from __future__ import annotations

import os
from pathlib import Path

from protocol import codec
from protocol.clock import WallMs
from protocol.document import Kind
from protocol.envelope import Envelope, sign
from protocol.freshness import Attestation, Head, Newest
from protocol.keys import SigningKey
from protocol.units import UnitPath

FILE = "freshness.key"
SEED_BYTES = 32
MODE = 0o600


class FreshnessKeyError(Exception):
    """The key file is there but is not a key: it is not replaced, because devices have pinned its public half."""


def open_key(data: Path) -> SigningKey:
    """The key in the data directory, made at the first start."""
    path = data / FILE
    if not path.exists():
        _write(path, SigningKey.generate().seed())
    seed = path.read_bytes()
    if len(seed) != SEED_BYTES:
        raise FreshnessKeyError(f"{path} has {len(seed)} bytes instead of {SEED_BYTES}")
    return SigningKey.from_seed(seed)


def _write(path: Path, seed: bytes) -> None:
    fresh = path.with_name(f".{path.name}")
    handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, MODE)
    with os.fdopen(handle, "wb") as file:
        file.write(seed)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def attest(key: SigningKey, nonce: str, now: WallMs) -> Envelope:
    """The time, bound to the question. Raises ValueError for a nonce that is none."""
    return sign(Kind.ATTESTATION, codec.encode(Attestation(nonce, now)), [key])


def head(key: SigningKey, unit: UnitPath, newest: tuple[Newest, ...], *, now: WallMs) -> Envelope:
    """What is newest along the unit's ancestors, and when this was so."""
    return sign(Kind.HEAD, codec.encode(Head(unit, now, newest)), [key])
