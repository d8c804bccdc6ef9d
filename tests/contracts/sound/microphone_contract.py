"""What every Microphone promises."""

from __future__ import annotations

import asyncio

import pytest

from edge.ports import FRAME_BYTES, FRAME_MS, Microphone


class MicrophoneContract:
    """Subclasses give the microphone."""

    @pytest.fixture
    def microphone(self) -> Microphone:
        raise NotImplementedError

    async def test_frames_come_at_their_pace(self, microphone: Microphone) -> None:
        loop = asyncio.get_running_loop()
        source = await microphone.open()
        await source.read()
        before = loop.time()
        for _ in range(25):
            frame = await source.read()
            assert frame is not None and len(frame) == FRAME_BYTES
        assert (loop.time() - before) * 1000 == pytest.approx(25 * FRAME_MS, abs=FRAME_MS)
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
