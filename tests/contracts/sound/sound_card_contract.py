"""What every SoundCard promises. Times are judged with 5 ms to spare: real cards have their own crystal."""

from __future__ import annotations

import asyncio

import pytest

from edge.ports import FRAME_MS, SILENT_FRAME, SoundCard

PACED_TRIES = 4
"""A busy machine is late now and then; a wrong pace is wrong in every half second."""


class SoundCardContract:
    """Subclasses give the card."""

    @pytest.fixture
    def card(self) -> SoundCard:
        raise NotImplementedError

    async def test_writing_is_paced(self, card: SoundCard) -> None:
        loop = asyncio.get_running_loop()
        for _ in range(20):
            await card.write(SILENT_FRAME)

        async def half_a_second_ms() -> float:
            before = loop.time()
            for _ in range(25):
                await card.write(SILENT_FRAME)
            return (loop.time() - before) * 1000

        took_ms = [await half_a_second_ms()]
        while abs(took_ms[-1] - 25 * FRAME_MS) > FRAME_MS and len(took_ms) < PACED_TRIES:
            took_ms.append(await half_a_second_ms())
        assert took_ms[-1] == pytest.approx(25 * FRAME_MS, abs=FRAME_MS), took_ms

    async def test_delay_stands_still_on_the_line(self, card: SoundCard) -> None:
        """The next frame is heard 20 ms after the last, whenever one asks."""
        loop = asyncio.get_running_loop()
        for _ in range(10):
            await card.write(SILENT_FRAME)
        first = loop.time() * 1000 + card.delay_ms()
        for count in range(1, 20):
            await card.write(SILENT_FRAME)
            assert loop.time() * 1000 + card.delay_ms() == pytest.approx(first + count * FRAME_MS, abs=5)

    async def test_drained_card_has_sounded_all(self, card: SoundCard) -> None:
        loop = asyncio.get_running_loop()
        for _ in range(10):
            await card.write(SILENT_FRAME)
        ends = loop.time() * 1000 + card.delay_ms()
        await card.drain()
        assert loop.time() * 1000 >= ends - 5

    async def test_drained_card_starts_anew(self, card: SoundCard) -> None:
        await card.write(SILENT_FRAME)
        await card.drain()
        await asyncio.sleep(0.5)
        delay_ms = card.delay_ms()
        assert 0 <= delay_ms < 500
        await card.write(SILENT_FRAME)
        assert card.delay_ms() == pytest.approx(delay_ms + FRAME_MS, abs=FRAME_MS)

    async def test_late_writer_is_taken_back(self, card: SoundCard) -> None:
        await card.write(SILENT_FRAME)
        await asyncio.sleep(0.4)
        assert card.delay_ms() >= 0
        await card.write(SILENT_FRAME)
        assert card.delay_ms() > 0

    async def test_idle_card_drains_at_once(self, card: SoundCard) -> None:
        await card.drain()
        await card.drain()
