"""A media store for worlds without downloads: whole files stand in it under their digests."""

from __future__ import annotations

import hashlib
from pathlib import Path

from edge.ports import MediaSink, StorageFullError
from protocol.bulletin import MediaRef


class MediaShelf:
    """Implements `edge.ports.MediaStore`, except that nothing can be fetched into it."""

    def __init__(self) -> None:
        self._paths: dict[str, Path] = {}

    def put(self, media: Path, *, duration_ms: int = 1) -> MediaRef:
        """Puts a file on the shelf; returns the reference by which it is found."""
        data = media.read_bytes()
        digest = hashlib.sha256(data).hexdigest()
        self._paths[digest] = media
        return MediaRef(digest, size_bytes=len(data), duration_ms=duration_ms)

    def digests(self) -> frozenset[str]:
        """See `edge.ports.MediaStore`."""
        return frozenset(self._paths)

    def free_bytes(self) -> int:
        """See `edge.ports.MediaStore`."""
        return 0

    def sink(self, media: MediaRef) -> MediaSink:
        """See `edge.ports.MediaStore`."""
        raise StorageFullError(f"nothing is downloaded onto a shelf, also not {media.digest[:12]}")

    def path(self, digest: str) -> Path | None:
        """See `edge.ports.MediaStore`."""
        return self._paths.get(digest)

    def delete(self, digest: str) -> None:
        """See `edge.ports.MediaStore`."""
        self._paths.pop(digest, None)
