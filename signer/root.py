"""Takes a new anchor or word of the root through TUF, in a short child process, and puts them where they count."""

from __future__ import annotations

from pathlib import Path


def metadata_of(data: Path) -> Path:
    """What this signer trusts of the root."""
    return data / "root" / "metadata"
