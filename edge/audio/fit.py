"""One sample more or less, where it is heard least."""

from __future__ import annotations

from array import array


def fitted(sound: bytes, samples: int) -> bytes:
    """So many samples of a sound that has one more or one less: where two neighbours are most alike one is left out,
    or stands twice."""
    held = array("h", sound)
    if len(held) not in (samples - 1, samples + 1) or len(held) < 2:
        return sound[: samples * 2]
    at = min(range(1, len(held)), key=lambda place: abs(held[place] - held[place - 1]))
    if len(held) > samples:
        del held[at]
    else:
        held.insert(at, held[at])
    return held.tobytes()
