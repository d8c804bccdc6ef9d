"""Named streams of random numbers from one seed: a stream added here changes nothing that another one draws."""

from __future__ import annotations

import hashlib
import random


class Chance:
    """All randomness of one run.

    Args:
        seed: any whole number.
    """

    def __init__(self, seed: int) -> None:
        self.seed = seed

    def stream(self, name: str) -> random.Random:
        """A stream of its own, from its beginning; the name is all that tells it from others."""
        digest = hashlib.blake2b(f"{self.seed}/{name}".encode(), digest_size=8).digest()
        return random.Random(int.from_bytes(digest, "big"))
