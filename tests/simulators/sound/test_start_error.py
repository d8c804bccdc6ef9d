"""The figure `start-error` is measured, and finds an engine that begins where it should."""

from __future__ import annotations

from simulators.bench.start_error import _first_audible
from simulators.melody import noise


def test_first_audible_sample_is_found() -> None:
    quiet = bytes(960)
    assert _first_audible(quiet) is None
    place = _first_audible(quiet + noise())
    assert place is not None and 480 <= place < 500
