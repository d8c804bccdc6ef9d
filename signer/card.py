"""Where a card is found, said without loading anything that drives one."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CardSlot:
    """The path of a PKCS#11 module, and the label of the token."""

    module: str
    token: str
