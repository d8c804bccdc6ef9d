"""Keys in sealed files, as a source of the key ring."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from signer.key_ring import HeldKey, Look
from signer.key_store import KeyStore, unseal


class FileKeys:
    """The directory of sealed files; opening one takes a tenth of a second on purpose, off the event loop."""

    def __init__(self, store: KeyStore) -> None:
        self._store = store

    async def look(self) -> Look:
        """Lists the keys."""
        return Look(tuple(HeldKey(one.name, one.holder, one.public) for one in self._store.all()))

    async def sign(self, key: HeldKey, secret: str, messages: Sequence[bytes]) -> tuple[bytes, ...]:
        """Unseals the key for these messages only."""
        sealed = self._store.get(key.name)
        opened = await asyncio.to_thread(unseal, sealed, secret)
        return tuple(opened.sign(message) for message in messages)
