"""Passwords: argon2id, away from the event loop, and never more than two at once on a small server."""

from __future__ import annotations

import asyncio
from weakref import WeakKeyDictionary

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from controller.web.explained import N_, Explained

CHARS_MIN = 10
CHARS_MAX = 200
_HASHER = PasswordHasher()
_NOBODY = _HASHER.hash("nobody has this password")
_TURNS: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Semaphore] = WeakKeyDictionary()


def _turn() -> asyncio.Semaphore:
    # 64 MiB each: a flood of sign-ins must not take the memory of a small server.
    return _TURNS.setdefault(asyncio.get_running_loop(), asyncio.Semaphore(2))


def hash_now(password: str) -> str:
    """The hash of a password, on this thread."""
    return _HASHER.hash(password)


async def hash_password(password: str) -> str:
    """The hash that is stored."""
    async with _turn():
        return await asyncio.to_thread(_HASHER.hash, password)


async def password_matches(password_hash: str | None, password: str) -> bool:
    """Whether it is the password; takes as long when there is no such account."""
    async with _turn():
        return await asyncio.to_thread(_matches, password_hash or _NOBODY, password[:CHARS_MAX]) and bool(
            password_hash
        )


def _matches(password_hash: str, password: str) -> bool:
    try:
        return _HASHER.verify(password_hash, password)
    except (VerificationError, InvalidHashError):
        return False


def check_new(password: str) -> str:
    """The password, if it is long enough to be one.

    Raises:
        Explained: too short or too long.
    """
    if not CHARS_MIN <= len(password) <= CHARS_MAX:
        text = N_("A password has at least %(least)d characters; a few words in a row are easy to remember.")
        raise Explained(text, least=CHARS_MIN)
    return password
