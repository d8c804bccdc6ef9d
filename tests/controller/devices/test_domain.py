"""Grading devices, and standings that never go backwards wrongly."""

from __future__ import annotations

import pytest

from controller.devices import wording
from controller.devices.domain import Delivery, Known, Reach, advances, delivery, furthest, reach
from controller.devices.view import message_titles
from controller.web.i18n import LANGUAGE
from protocol.audible_config import StoredMessage
from protocol.bulletin import MediaRef
from protocol.clock import WallMs
from protocol.errors import Refusal
from protocol.report import EndReason, FaultCode, Receipt, Standing


def receipt(standing: Standing, wall: int, item: str | None = None) -> Receipt:
    return Receipt("c1", "d" * 64, "schedule", standing, WallMs(wall), item)


@pytest.mark.parametrize(
    ("link_up", "seen", "grade"),
    [
        (True, None, Reach.NEW),
        (True, 99_000, Reach.ONLINE),
        (True, 81_000, Reach.ONLINE),
        (True, 80_000, Reach.QUIET),
        (False, 99_000, Reach.QUIET),
        (True, 50_000, Reach.LOST),
        (False, 50_000, Reach.LOST),
    ],
)
def test_reach_needs_fresh_word(link_up: bool, seen: int | None, grade: Reach) -> None:
    last = None if seen is None else WallMs(seen)
    assert reach(link_up=link_up, seen=last, now=WallMs(100_000), heartbeat_ms=10_000) is grade


def test_silence_after_expiry_is_told() -> None:
    assert delivery(None, expires=WallMs(10), now=WallMs(9)) is Delivery.QUEUED
    assert delivery(None, expires=WallMs(10), now=WallMs(10)) is Delivery.NO_WORD
    assert delivery("heard", expires=WallMs(10), now=WallMs(99)) is Delivery.HEARD


@pytest.mark.parametrize(
    ("stored", "new", "taken"),
    [
        (None, receipt(Standing.HEARD, 5), True),
        ((Standing.RECEIVED, 1), receipt(Standing.READY, 2), True),
        ((Standing.READY, 5), receipt(Standing.RECEIVED, 6), False),
        ((Standing.SOUNDING, 5), receipt(Standing.READY, 9), False),
        ((Standing.HEARD, 5), receipt(Standing.SOUNDING, 4), False),
        ((Standing.HEARD, 5), receipt(Standing.SOUNDING, 9), False),
        ((Standing.HEARD, 5), receipt(Standing.SOUNDING, 9, "item"), True),
        ((Standing.HEARD, 5), receipt(Standing.SOUNDING, 4, "item"), False),
        ((Standing.SOUNDING, 5), receipt(Standing.REFUSED, 6), False),
        ((Standing.RECEIVED, 5), receipt(Standing.REFUSED, 6), True),
        ((Standing.REFUSED, 5), receipt(Standing.RECEIVED, 6), True),
        ((Standing.REFUSED, 5), receipt(Standing.RECEIVED, 4), False),
        ((Standing.SOUNDING, 5), receipt(Standing.CANCELLED, 6), True),
        ((Standing.CANCELLED, 5), receipt(Standing.HEARD, 6), False),
    ],
)
def test_standing_advances(stored: tuple[Standing, int] | None, new: Receipt, taken: bool) -> None:
    known = Known(stored[0], WallMs(stored[1])) if stored else None
    assert advances(known, new) is taken


def test_furthest_of_mixed_order() -> None:
    mixed = [receipt(Standing.SOUNDING, 3), receipt(Standing.RECEIVED, 1), receipt(Standing.READY, 2)]
    kept = furthest(mixed, None)
    assert kept is not None and kept.standing is Standing.SOUNDING
    assert furthest(mixed, Known(Standing.HEARD, WallMs(9))) is None


def test_every_name_has_sentence() -> None:
    assert set(wording.REFUSALS) == set(Refusal)
    assert set(wording.FAULTS) == set(wording.FAULT_NAMES) == set(FaultCode)
    assert set(wording.END_REASONS) == set(EndReason)
    assert set(wording.RUNGS) == set(range(1, 10))
    assert set(wording.DELIVERIES) == set(wording.DELIVERY_BADGES) == set(Delivery)


def test_message_is_called_by_its_title() -> None:
    token = LANGUAGE.set("en")
    titles = message_titles([StoredMessage(2, "Flood: leave now", MediaRef("a" * 64, 100, 1000))])
    LANGUAGE.reset(token)
    assert titles["message-1"] == "Stored message 1"
    assert titles["message-2"] == "Stored message 2: Flood: leave now"
