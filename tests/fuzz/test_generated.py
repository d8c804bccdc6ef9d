"""Every target of the registry under Hypothesis: mutated documents, and anything at all."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fuzz.mutation import mutated
from tests.fuzz.registry import NAMES, target
from tests.fuzz.target import judge

pytestmark = pytest.mark.slow


@contextlib.contextmanager
def in_silence() -> Iterator[None]:
    """Adapters rightly log what they refuse, thousands of times here."""
    logging.disable(logging.CRITICAL)
    try:
        yield
    finally:
        logging.disable(logging.NOTSET)


@pytest.mark.parametrize("name", NAMES)
def test_whole_inputs_are_taken_or_refused(name: str) -> None:
    found = target(name)
    with in_silence():
        for seed in found.seeds():
            judge(found, seed)


@pytest.mark.parametrize("name", NAMES)
def test_generated_inputs_are_taken_or_refused(name: str) -> None:
    found = target(name)
    seeds = st.sampled_from(found.seeds())
    changed = st.builds(lambda whole, seed: mutated(whole, Random(seed)), seeds, st.integers(0, 2**63))
    inputs = changed | changed | st.binary(max_size=300)

    @settings(max_examples=found.examples, deadline=None, suppress_health_check=list(HealthCheck))
    @given(inputs)
    def run(data: bytes) -> None:
        judge(found, data)

    with in_silence():
        run()
