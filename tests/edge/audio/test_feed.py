"""Reading ahead: late sources are skipped forward, paced ones are never far behind."""

from __future__ import annotations

import asyncio
from array import array

from edge.audio.card_clock import CardClock
from edge.audio.feed import AHEAD_FRAMES, Feed
from edge.audio.tone import TONE_AMPLITUDE, tone_frames
from edge.ports import FRAME_MS, FRAME_SAMPLES, MediaError
from protocol.alert import Tone
from protocol.clock import MonoMs
from simulators.listening import largest_step


class Counted:
    """Frames that carry their own number in every sample."""

    def __init__(self, *, frames: int, pause_before: dict[int, float] | None = None, breaks: bool = False) -> None:
        self._frames = frames
        self._pauses = pause_before or {}
        self._breaks = breaks
        self.count = 0
        self.closed = False

    async def read(self) -> bytes | None:
        await asyncio.sleep(self._pauses.get(self.count, 0))
        if self.count == self._frames:
            if self._breaks:
                raise MediaError("the end of the world")
            return None
        self.count += 1
        return array("h", [self.count] * FRAME_SAMPLES).tobytes()

    async def close(self) -> None:
        self.closed = True


def numbers(samples: bytes) -> list[int]:
    return sorted(set(array("h", samples)))


async def test_feed_reads_only_a_little_ahead() -> None:
    source = Counted(frames=1000)
    feed = Feed(source)
    await asyncio.sleep(1)
    assert source.count == AHEAD_FRAMES
    await feed.close()
    assert source.closed


async def test_end_comes_into_sight() -> None:
    feed = Feed(Counted(frames=3))
    await asyncio.sleep(1)
    assert feed.left_samples == 3 * FRAME_SAMPLES
    assert numbers(feed.take(FRAME_SAMPLES * 3)) == [1, 2, 3]
    assert feed.ended and feed.failure is None
    await feed.close()


async def test_late_programme_is_skipped_forward() -> None:
    feed = Feed(Counted(frames=100, pause_before={12: 1.0}), keeps_time=True)
    await feed.primed()
    heard = []
    for _ in range(80):
        heard.append(feed.take(FRAME_SAMPLES))
        await asyncio.sleep(FRAME_MS / 1000)
    assert numbers(heard[70]) == [71]
    await feed.close()


async def test_late_microphone_is_not_skipped() -> None:
    feed = Feed(Counted(frames=100, pause_before=dict.fromkeys(range(100), FRAME_MS / 1000)), paced=True)
    await feed.primed()
    await asyncio.sleep(3)
    assert numbers(feed.take(FRAME_SAMPLES))[0] >= 90
    assert feed.left_samples is not None and feed.left_samples < AHEAD_FRAMES * FRAME_SAMPLES
    await feed.close()


async def test_broken_source_is_told_after_its_last_sample() -> None:
    feed = Feed(Counted(frames=2, breaks=True))
    await asyncio.sleep(1)
    assert not feed.ended
    feed.take(FRAME_SAMPLES * 2)
    assert feed.ended and isinstance(feed.failure, MediaError)
    await feed.close()


async def test_card_clock_sees_past_whole_milliseconds() -> None:
    clock = CardClock()
    truth = 1234.6
    for frame in range(50):
        now = truth - 57.3 + frame * FRAME_MS + (frame * 0.37) % 1
        heard = clock.heard_ms(MonoMs(int(now)), truth + frame * FRAME_MS - now)
    assert abs(heard - (truth + 49 * FRAME_MS)) < 0.05


async def test_tones_are_whole_and_smooth() -> None:
    for tone in Tone:
        sound = b"".join(tone_frames(tone, 5010))
        assert len(sound) == 5020 * 96
        assert 9000 < max(array("h", sound)) <= TONE_AMPLITUDE
        assert largest_step(sound) < 2000
        assert array("h", sound)[0] == array("h", sound)[-1] == 0
