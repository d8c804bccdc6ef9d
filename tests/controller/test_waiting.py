"""A service that is told to stop stops, also when a driver swallowed the word."""

from __future__ import annotations

import asyncio

import pytest

from controller.waiting import wait_a_while


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
