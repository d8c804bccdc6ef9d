"""A signature is verified once for each pair of bytes and key: twenty devices of a world are given the same papers.

The cryptography stays the real one; only its answer is remembered, by what it was asked. What a device makes of an
answer is its own work each time. With `each` it is asked anew every time, which must change no trace.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from hashlib import sha256
from typing import Final

from protocol import envelope

Verify = Callable[[str, bytes, bytes], bool]
_ANSWERS_MAX: Final = 16_384


@contextmanager
def verified_once(*, each: bool = False) -> Iterator[None]:
    """Inside the block answers are remembered, in this process; at its end they are forgotten."""
    names = vars(envelope)
    real: Verify = names["verify"]
    answers: dict[tuple[str, bytes, bytes], bool] = {}

    def verify(key: str, signature: bytes, message: bytes) -> bool:
        asked = (key, signature, sha256(message).digest())
        if asked not in answers:
            if len(answers) >= _ANSWERS_MAX:
                answers.clear()
            answers[asked] = real(key, signature, message)
        return answers[asked]

    names["verify"] = real if each else verify
    try:
        yield
    finally:
        names["verify"] = real
