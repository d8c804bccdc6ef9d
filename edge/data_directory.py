"""The directory with all that an agent keeps, and the one agent that may use it."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from edge.config import ConfigError


@contextmanager
def own_directory(data: Path) -> Iterator[Path]:
    """Two agents on one directory would both be wrong about what is stored."""
    try:
        data.mkdir(parents=True, exist_ok=True, mode=0o700)
        lock = (data / "lock").open("w")
    except OSError as error:
        raise ConfigError(f"the data directory {data} cannot be used: {error.strerror}") from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise ConfigError(f"another agent is running on {data}; stop it first") from error
        yield data
