"""A level counts after it has stood."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from hardware.gpio_debounce import STAND_MS, Debounce


def test_press_counts_after_it_has_stood() -> None:
    contact = Debounce()
    assert not contact.feed(True, 0)
    assert not contact.feed(True, STAND_MS - 1)
    assert contact.feed(True, STAND_MS)
    assert contact.down
    assert not contact.feed(True, STAND_MS + 100)


def test_release_counts_after_it_has_stood() -> None:
    contact = Debounce(stand_ms=0)
    assert contact.feed(True, 0)
    contact = Debounce()
    contact.feed(True, 0)
    contact.feed(True, 30)
    assert not contact.feed(False, 100)
    assert contact.feed(False, 130)
    assert not contact.down


def test_spike_is_no_press() -> None:
    contact = Debounce()
    contact.feed(True, 0)
    assert not contact.feed(False, 5)
    assert contact.due_ms is None
    assert not contact.feed(True, 100)
    assert not contact.feed(True, 120)


def test_movement_between_two_looks_begins_anew() -> None:
    contact = Debounce()
    contact.feed(True, 0)
    assert not contact.feed(True, 25, moved=True)
    assert not contact.feed(True, 31)
    assert contact.feed(True, 55)


def test_next_look_is_due_when_it_would_count() -> None:
    contact = Debounce()
    assert contact.due_ms is None
    contact.feed(True, 7)
    assert contact.due_ms == 7 + STAND_MS


@given(st.lists(st.tuples(st.booleans(), st.floats(0, 50), st.booleans()), max_size=200))
def test_any_bouncing_alternates_and_keeps_its_distance(looks: list[tuple[bool, float, bool]]) -> None:
    contact, now_ms, told = Debounce(), 0.0, []
    for down, after_ms, moved in looks:
        now_ms += after_ms
        if contact.feed(down, now_ms, moved=moved):
            told.append((contact.down, now_ms))
    assert [down for down, _ in told] == [number % 2 == 0 for number in range(len(told))]
    times = [at for _, at in told]
    assert all(later - earlier >= STAND_MS - 1e-6 for earlier, later in pairwise(times))
