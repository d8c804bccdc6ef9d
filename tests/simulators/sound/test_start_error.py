"""The figure `start-error` is measured, and finds an engine that begins where it should."""

from __future__ import annotations

import math

import pytest

from simulators.bench.start_error import _first_audible, _percentile
from simulators.melody import noise


def test_first_audible_sample_is_found() -> None:
    quiet = bytes(960)
    assert _first_audible(quiet) is None
    place = _first_audible(quiet + noise())
    assert place is not None and 480 <= place < 500


def test_percentiles_of_errors() -> None:
    errors = [float(value) for value in range(101)]
    assert _percentile(errors, 50) == pytest.approx(50)
    assert _percentile(errors, 99) == pytest.approx(99)
    assert math.isnan(_percentile([], 50))
