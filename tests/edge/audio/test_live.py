"""Live sessions: signed segments of Opus through a jitter buffer."""

from __future__ import annotations

import asyncio

from simulators.encoder import opus_packets
from simulators.listening import find, longest_silence_ms
from simulators.melody import melody
from tests.edge.audio.scene import Scene

SPEECH = melody(21, duration_ms=6000)
PACKETS = opus_packets(SPEECH)
SESSION = "ab" * 16


async def send(scene: Scene, *, seconds: int, late_ms: tuple[int, ...] = ()) -> None:
    """A segment each second, some of them late."""
    begin_ms = scene.now_ms
    for count in range(seconds):
        late = late_ms[count] if count < len(late_ms) else 0
        await scene.until(begin_ms + count * 1000 + late)
        scene.engine.feed_live(SESSION, count, PACKETS[count * 50 : (count + 1) * 50])


async def test_live_session_is_heard_whole(scene: Scene) -> None:
    sending = asyncio.create_task(send(scene, seconds=6))
    await scene.switch(scene.live())
    await scene.until(9000)
    await sending
    assert find(SPEECH[: 5000 * 96], scene.heard().samples).correlation > 0.98
    assert [key for key, _ in scene.started()] == ["live"]


async def test_jitter_is_not_heard(scene: Scene) -> None:
    sending = asyncio.create_task(send(scene, seconds=6, late_ms=(0, 600, 0, 900, 300, 0)))
    await scene.switch(scene.live())
    await scene.until(9000)
    await sending
    begun_ms = scene.started()[0][1]
    assert longest_silence_ms(scene.heard(), begun_ms + 100, begun_ms + 5900) <= 300


async def test_stalled_session_ends_within_two_seconds(scene: Scene) -> None:
    sending = asyncio.create_task(send(scene, seconds=3))
    await scene.switch(scene.live())
    await sending
    last_ms = scene.now_ms
    await scene.until(last_ms + 2400)
    assert scene.ended() == [("live", "source_failed")]


async def test_speaker_is_never_heard_later_than_two_seconds(scene: Scene) -> None:
    await scene.switch(scene.live())
    for count in range(6):
        scene.engine.feed_live(SESSION, count, PACKETS[count * 50 : (count + 1) * 50])
    await scene.until(6000)
    began_ms = scene.started()[0][1]
    assert find(SPEECH[5000 * 96 : 5800 * 96], scene.heard().samples).offset_ms - began_ms < 2000


async def test_repeated_segments_are_heard_once(scene: Scene) -> None:
    for count in (0, 1, 1, 0, 2):
        scene.engine.feed_live(SESSION, count, PACKETS[count * 30 : (count + 1) * 30])
    await scene.switch(scene.live())
    await scene.until(5000)
    assert find(SPEECH[: 1700 * 96], scene.heard().samples).correlation > 0.98


async def test_packet_that_is_no_opus_costs_its_twenty_milliseconds(scene: Scene) -> None:
    scene.engine.feed_live(SESSION, 0, (*PACKETS[:40], b"", b"no Opus", *PACKETS[40:80]))
    await scene.switch(scene.live())
    await scene.until(4000)
    assert find(SPEECH[900 * 96 : 1500 * 96], scene.heard().samples).correlation > 0.9


async def test_session_that_comes_back_gathers_anew(scene: Scene) -> None:
    sending = asyncio.create_task(send(scene, seconds=2))
    await scene.switch(scene.live())
    await sending
    await scene.until(10_000)
    for count in (2, 3):
        scene.engine.feed_live(SESSION, count, PACKETS[count * 50 : (count + 1) * 50])
        await scene.switch(scene.live())
        await scene.until(scene.now_ms + 1000)
    await scene.until(13_000)
    assert [key for key, _ in scene.started()] == ["live", "live"]
    assert find(SPEECH[2100 * 96 : 3900 * 96], scene.heard(10_000).samples).correlation > 0.98
