"""What every Microphone promises."""

from __future__ import annotations

import asyncio

import pytest

from edge.ports import FRAME_BYTES, FRAME_MS, Microphone

PACED_TRIES = 4
"""A busy machine is late now and then; a wrong pace is wrong in every half second."""


class MicrophoneContract:
    """Subclasses give the microphone."""

    @pytest.fixture
    def microphone(self) -> Microphone:
        raise NotImplementedError

    async def test_frames_come_at_their_pace(self, microphone: Microphone) -> None:
        loop = asyncio.get_running_loop()
        source = await microphone.open()
        await source.read()

        async def half_a_second_ms() -> float:
            before = loop.time()
            for _ in range(25):
                frame = await source.read()
                assert frame is not None and len(frame) == FRAME_BYTES
            return (loop.time() - before) * 1000

        took_ms = [await half_a_second_ms()]
        while abs(took_ms[-1] - 25 * FRAME_MS) > FRAME_MS and len(took_ms) < PACED_TRIES:
            took_ms.append(await half_a_second_ms())
        assert took_ms[-1] == pytest.approx(25 * FRAME_MS, abs=FRAME_MS), took_ms
        await source.close()

    async def test_late_reader_hears_the_present(self, microphone: Microphone) -> None:
        loop = asyncio.get_running_loop()
        source = await microphone.open()
        await asyncio.sleep(5)
        before = loop.time()
        for _ in range(50):
            await source.read()
        assert loop.time() - before > 0.5
        await source.close()

    async def test_may_be_opened_again(self, microphone: Microphone) -> None:
        for _ in range(3):
            source = await microphone.open()
            assert await source.read() is not None
            await source.close()
            await source.close()
