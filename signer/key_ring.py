"""Every key that lies here, whatever holds it: one seam for sealed files and for cards.

A source lists its keys in the clear and signs with one of them; the private half never passes this seam, because a
card never gives it out. What a source answers is checked here: a signature that does not verify is no signature.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from protocol.keys import key_id, verify
from signer.errors import KeyStoreError
from signer.i18n import gettext as _


class Means(StrEnum):
    """What holds a key, and so what its owner types: a passphrase or a PIN."""

    FILE = "file"
    CARD = "card"


@dataclass(frozen=True, slots=True)
class HeldKey:
    """A key as pages show it.

    Attributes:
        name: unique on this machine; what the form sends.
        holder: the person.
        where: label of the card; empty for a file.
        present: False while its card is out of the reader.
        notice: what the card says about its own counter of wrong PINs; empty when all is well.
    """

    name: str
    holder: str
    public: str
    means: Means = Means.FILE
    where: str = ""
    present: bool = True
    notice: str = ""

    @property
    def key_id(self) -> str:
        """The name that signatures carry."""
        return key_id(self.public)

    @property
    def lock(self) -> str:
        """What wrong tries are counted for: a card has one PIN for all its keys."""
        return f"card {self.where}" if self.means is Means.CARD else self.name


@dataclass(frozen=True, slots=True)
class Look:
    """What a source shows just now; the problem is a sentence for people."""

    keys: tuple[HeldKey, ...]
    problem: str = ""


class KeySource(Protocol):
    """Something that holds keys."""

    async def look(self) -> Look:
        """Lists the keys."""
        ...

    async def sign(self, key: HeldKey, secret: str, messages: Sequence[bytes]) -> tuple[bytes, ...]:
        """Opens a key, signs each message, and closes it again.

        Raises:
            WrongPassphraseError: passphrase or PIN is not right.
            KeyStoreError: the key cannot be opened.
        """
        ...


class KeyRing:
    """All sources of this machine."""

    def __init__(self, sources: Sequence[KeySource]) -> None:
        self._sources = tuple(sources)

    async def look(self) -> Look:
        """All keys and all problems; of two keys with one name the first counts."""
        seen = [await source.look() for source in self._sources]
        keys = {key.name: key for look in reversed(seen) for key in reversed(look.keys)}
        ordered = tuple(dict.fromkeys(keys[key.name] for look in seen for key in look.keys))
        return Look(ordered, " ".join(look.problem for look in seen if look.problem))

    async def sign(self, key: HeldKey, secret: str, messages: Sequence[bytes]) -> tuple[bytes, ...]:
        """Signs each message; see `KeySource.sign`."""
        for source in self._sources:
            if key.name in {one.name for one in (await source.look()).keys}:
                made = await source.sign(key, secret, messages)
                _check(key, made, messages)
                return made
        raise KeyStoreError(_("There is no key with this name here: %(name)s") % {"name": key.name[:32]})


def _check(key: HeldKey, made: Sequence[bytes], messages: Sequence[bytes]) -> None:
    if len(made) != len(messages) or not all(
        verify(key.public, one, of) for one, of in zip(made, messages, strict=True)
    ):
        raise KeyStoreError(
            _("The key gave a signature that does not hold. Nothing was signed; tell the technician.")
        )
