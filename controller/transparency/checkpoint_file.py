"""The last checkpoint that was signed, as a file beside the database.

A database that is put back from a backup does not take it along, so the loss shows.
"""

from __future__ import annotations

import logging
import os
from pathlib import Path

from protocol.checkpoint import Checkpoint, read_checkpoint
from protocol.envelope import Envelope, unpack
from protocol.errors import DocumentError

logger = logging.getLogger(__name__)

FILE = "checkpoint.json"


class CheckpointFile:
    """Reads and replaces the file."""

    def __init__(self, data: Path, *, key: str) -> None:
        self._path = data / FILE
        self._key = key

    def load(self) -> tuple[Envelope, Checkpoint] | None:
        """The last checkpoint; a file that is none of ours is set aside and told."""
        try:
            envelope = unpack(self._path.read_bytes())
            return envelope, read_checkpoint(envelope, [self._key])
        except FileNotFoundError:
            return None
        except DocumentError as error:
            aside = self._path.with_suffix(".damaged")
            logger.error("the last checkpoint cannot be read (%s); it is set aside as %s", error, aside)
            self._path.replace(aside)
            return None

    def keep(self, envelope: Envelope) -> None:
        """Replaces it; returns when it is durable."""
        fresh = self._path.with_name(f".{self._path.name}")
        with fresh.open("wb") as file:
            file.write(envelope.pack())
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(self._path)
        folder = os.open(self._path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
