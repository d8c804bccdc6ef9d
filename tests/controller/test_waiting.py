"""A service that is told to stop stops, also when a driver swallowed the word; one that fails tells it once."""

from __future__ import annotations

import asyncio
import logging

import pytest

from controller.waiting import RETRY_S_MAX, Trouble, wait_a_while


async def test_time_and_event_end_the_wait() -> None:
    event = asyncio.Event()
    await wait_a_while(event, seconds=0.001)
    event.set()
    await wait_a_while(event, seconds=60)


async def test_service_stops_although_a_driver_swallowed_the_cancellation() -> None:
    busy = asyncio.Event()

    async def swallowing() -> None:
        try:
            busy.set()
            await asyncio.sleep(60)
        except asyncio.CancelledError as error:
            raise RuntimeError("the driver's own words") from error

    async def serve() -> None:
        while True:
            try:
                await swallowing()
            except RuntimeError:
                pass
            await wait_a_while(asyncio.Event(), seconds=0.01)

    task = asyncio.create_task(serve())
    await busy.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        async with asyncio.timeout(5):
            await task


def _fail(trouble: Trouble) -> float:
    try:
        raise OSError("disk full")
    except OSError:
        return trouble.happened()


def test_trouble_that_lasts_is_told_once_and_tried_ever_more_rarely(caplog: pytest.LogCaptureFixture) -> None:
    trouble = Trouble(logging.getLogger("controller"), "nothing could be stored")
    with caplog.at_level(logging.DEBUG):
        waits_s = [_fail(trouble) for _ in range(20)]
    assert [one.levelno for one in caplog.records] == [logging.WARNING] + [logging.DEBUG] * 19
    assert waits_s[:3] == [1, 2, 4]
    assert max(waits_s) == waits_s[-1] == RETRY_S_MAX


def test_trouble_that_comes_back_is_told_again(caplog: pytest.LogCaptureFixture) -> None:
    trouble = Trouble(logging.getLogger("controller"), "nothing could be stored")
    _fail(trouble)
    trouble.over()
    assert _fail(trouble) == 1
    assert [one.levelno for one in caplog.records] == [logging.WARNING] * 2
