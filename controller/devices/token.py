"""A device's token: made once, shown once, kept only as a hash."""

from __future__ import annotations

import hashlib
import secrets


def new_token() -> str:
    """256 random bits as text."""
    return secrets.token_urlsafe(32)


def token_hash(token: str) -> str:
    """What is stored. One plain SHA-256 is enough for a random secret of this length; guessing passwords is not."""
    return hashlib.sha256(token.encode()).hexdigest()
