"""Two relays that are never closed together."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator

import pytest

from hardware.board_file import SelectorPart
from hardware.errors import BoardError
from hardware.gpio_line import OutputLine
from hardware.selector import Heard, Selector
from simulators.mock_pins import MockPins, WitnessPin

VIRTUAL_TIME = True

COMPUTER, FM = 17, 27
SETTLE_S = 0.02


class Contacts:
    """Knows when each contact was closed, and that they never were together or too soon one after the other."""

    def __init__(self, pins: MockPins, *, active_high: bool) -> None:
        self._pins, self._active_high = pins, active_high
        self._opened_s = {COMPUTER: 0.0, FM: 0.0}
        self._closed: set[int] = set()
        contacts = self

        class WatchedPin(WitnessPin):
            def _change_state(self, value: bool) -> bool:
                changed: bool = super()._change_state(value)
                contacts.judge(self._number, value)
                return changed

        pins.factory.pin_class = WatchedPin

    def judge(self, pin: int, level: bool) -> None:
        now_s = asyncio.get_running_loop().time()
        if level is self._active_high and pin not in self._closed:
            other = FM if pin == COMPUTER else COMPUTER
            assert other not in self._closed, "both are closed"
            assert now_s - self._opened_s[other] >= SETTLE_S - 1e-6, "the other one may not have opened yet"
            self._closed.add(pin)
        elif level is not self._active_high and pin in self._closed:
            self._closed.remove(pin)
            self._opened_s[pin] = now_s


@pytest.fixture(params=[True, False])
async def selector(request: pytest.FixtureRequest) -> AsyncIterator[Selector]:
    pins = MockPins()
    Contacts(pins, active_high=request.param)
    selector = Selector(SelectorPart(COMPUTER, FM, active_high=request.param), factory=pins.factory)
    yield selector
    selector.close()


async def test_nothing_is_heard_at_first(selector: Selector) -> None:
    assert selector.heard is Heard.NOTHING


async def test_each_is_heard_when_asked_for(selector: Selector) -> None:
    for wanted in (Heard.COMPUTER, Heard.FM, Heard.NOTHING, Heard.FM, Heard.COMPUTER):
        await selector.select(wanted)
        assert selector.heard is wanted


async def test_same_again_does_not_open(selector: Selector) -> None:
    await selector.select(Heard.FM)
    began_s = asyncio.get_running_loop().time()
    await selector.select(Heard.FM)
    assert asyncio.get_running_loop().time() == began_s


async def test_cancelled_switch_leaves_nothing_heard(selector: Selector) -> None:
    await selector.select(Heard.COMPUTER)
    switch = asyncio.create_task(selector.select(Heard.FM))
    await asyncio.sleep(SETTLE_S / 2)
    switch.cancel()
    await asyncio.wait([switch])
    heard = [selector.heard]
    await selector.select(Heard.FM)
    assert [*heard, selector.heard] == [Heard.NOTHING, Heard.FM]


async def test_minds_that_change_all_the_time_join_nothing(selector: Selector) -> None:
    chance = random.Random(4)
    for _ in range(200):
        switch = asyncio.create_task(selector.select(chance.choice(list(Heard))))
        await asyncio.sleep(chance.uniform(0, 2 * SETTLE_S))
        if chance.random() < 0.5:
            switch.cancel()
    await selector.select(Heard.COMPUTER)
    assert selector.heard is Heard.COMPUTER


async def test_closed_selector_has_opened_both(selector: Selector) -> None:
    await selector.select(Heard.COMPUTER)
    selector.close()
    assert selector.heard is Heard.NOTHING


async def test_relay_that_obeys_opens_although_the_other_does_not(
    selector: Selector, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whichever it is: the horn must not hear FM for ever because another relay's pin is lost."""
    await selector.select(Heard.FM)
    whole = OutputLine.set

    def fail(line: OutputLine, on: bool) -> None:
        if not line.on:
            raise BoardError("pin 17 cannot be set")
        whole(line, on)

    monkeypatch.setattr(OutputLine, "set", fail)
    with pytest.raises(BoardError, match="pin 17"):
        await selector.select(Heard.NOTHING)
    heard = [selector.heard]
    monkeypatch.setattr(OutputLine, "set", whole)
    await selector.select(Heard.COMPUTER)
    assert [*heard, selector.heard] == [Heard.NOTHING, Heard.COMPUTER]
