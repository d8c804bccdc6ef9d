"""Two controllers of one name do not throw each other off the broker several times a second."""

from __future__ import annotations

import logging

import pytest

from controller.broker.link import RETRY_S_MAX, RETRY_S_MIN, STABLE_S, YIELDING_S_MAX, MqttLink


def test_broker_that_is_back_is_asked_soon() -> None:
    link = MqttLink("c")
    assert link._pause_s(None) == RETRY_S_MIN
    link._failures = 20
    assert link._pause_s(None) == RETRY_S_MAX


def test_connection_that_stood_long_comes_back_at_once() -> None:
    link = MqttLink("c")
    for _ in range(5):
        link._pause_s(1)
    assert link._pause_s(STABLE_S) == RETRY_S_MIN


def test_those_who_are_thrown_off_yield(caplog: pytest.LogCaptureFixture) -> None:
    link = MqttLink("loalang.controller.urgent")
    pauses = [link._pause_s(0.3) for _ in range(20)]
    assert pauses[0] < 1
    assert pauses == sorted(pauses)
    assert pauses[-1] == YIELDING_S_MAX
    assert [one.levelno for one in caplog.records] == [logging.ERROR]
    assert "loalang.controller.urgent" in caplog.text
