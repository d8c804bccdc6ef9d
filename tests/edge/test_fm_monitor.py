"""Measuring a frequency, with a tuner that may be gone."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from edge.core.events import Event, FmSignalMeasured
from edge.fm_monitor import FmMonitor
from edge.ports import CardLostError, FmSignal, SoundSource


class HandTuner:
    """A tuner whose antenna is the test."""

    def __init__(self) -> None:
        self.tuned: list[int] = []
        self.present = True

    async def tune(self, frequency_khz: int) -> None:
        if not self.present:
            raise CardLostError("no answer on the bus")
        self.tuned.append(frequency_khz)

    async def signal(self) -> FmSignal:
        if not self.present:
            raise CardLostError("no answer on the bus")
        return FmSignal(self.tuned[-1], 45, "1234")

    async def open(self) -> SoundSource:
        raise AssertionError("nobody listens here")


class Watch:
    """A monitor and what it tells."""

    def __init__(self) -> None:
        self.tuner = HandTuner()
        self.told: asyncio.Queue[Event] = asyncio.Queue()
        self.monitor = FmMonitor(self.tuner, feed=self.told.put, period_s=0.01)

    async def next(self) -> Event:
        async with asyncio.timeout(5):
            return await self.told.get()


@pytest.fixture
async def watch() -> AsyncIterator[Watch]:
    watch = Watch()
    task = asyncio.create_task(watch.monitor.run())
    yield watch
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_frequency_is_measured_again_and_again(watch: Watch) -> None:
    watch.monitor.monitor(97_500)
    for _ in range(3):
        assert await watch.next() == FmSignalMeasured(97_500, 45, "1234")
    assert watch.tuner.tuned == [97_500]


async def test_other_frequency_is_tuned(watch: Watch) -> None:
    watch.monitor.monitor(97_500)
    await watch.next()
    watch.monitor.monitor(100_400)
    async with asyncio.timeout(5):
        while await watch.next() != FmSignalMeasured(100_400, 45, "1234"):
            pass


async def test_none_stops_measuring(watch: Watch) -> None:
    watch.monitor.monitor(97_500)
    await watch.next()
    watch.monitor.monitor(None)
    await asyncio.sleep(0.03)
    while not watch.told.empty():
        watch.told.get_nowait()
    await asyncio.sleep(0.03)
    assert watch.told.empty()


async def test_tuner_that_returns_is_tuned_anew(watch: Watch) -> None:
    watch.monitor.monitor(97_500)
    await watch.next()
    watch.tuner.present = False
    await asyncio.sleep(0.03)
    watch.tuner.present = True
    while not watch.told.empty():
        watch.told.get_nowait()
    await watch.next()
    assert watch.tuner.tuned == [97_500, 97_500]
