"""The horn: what a village hears is what went through the amplifier, and when."""

from __future__ import annotations

import asyncio
import wave
from itertools import pairwise
from pathlib import Path

import pytest

from edge.ports import FRAME_BYTES
from simulators.board import SimBoard
from simulators.horn import WARM_UP_MS
from simulators.listening import find, first_sound_ms
from simulators.loop_clock import LoopClock
from simulators.melody import melody
from tests.simulators.sound.conftest import EPOCH

SOUND = melody(5, duration_ms=3000)
FRAMES = [SOUND[at : at + FRAME_BYTES] for at in range(0, len(SOUND), FRAME_BYTES)]


@pytest.fixture
async def board(clock: LoopClock) -> SimBoard:
    return SimBoard(clock, keep_s=5)


async def play(board: SimBoard) -> None:
    for frame in FRAMES:
        await board.card().write(frame)
    await board.card().drain()


async def test_sound_is_heard_when_the_card_said(board: SimBoard) -> None:
    await board.amplifier().switch(True)
    await asyncio.sleep(1)
    expected = EPOCH + 1000 + board.card().delay_ms()
    await play(board)
    assert first_sound_ms(board.horn.heard()) == pytest.approx(expected, abs=0.1)
    assert find(SOUND, board.horn.heard().samples).correlation > 0.9999


async def test_nothing_is_heard_without_the_amplifier(board: SimBoard) -> None:
    await play(board)
    assert not any(board.horn.heard().samples)


async def test_cold_amplifier_swallows_the_head(board: SimBoard) -> None:
    await board.amplifier().switch(True)
    await play(board)
    assert first_sound_ms(board.horn.heard()) == pytest.approx(EPOCH + WARM_UP_MS, abs=1)


async def test_switching_off_is_heard_at_once(board: SimBoard, clock: LoopClock) -> None:
    await board.amplifier().switch(True)
    await asyncio.sleep(1)
    playing = asyncio.create_task(play(board))
    await asyncio.sleep(1)
    await board.amplifier().switch(False)
    await playing
    after = board.horn.heard(EPOCH + 2001, None)
    assert len(after.samples) > 96_000 and not any(after.samples)
    assert clock.now().wall > EPOCH + 3000


async def test_listener_hears_continuous_time(board: SimBoard) -> None:
    await board.amplifier().switch(True)
    frames = board.horn.frames()
    heard = []
    playing = asyncio.create_task(play(board))
    async for frame in frames:
        heard.append(frame)
        if len(heard) == 200:
            break
    await playing
    assert {len(frame) for frame in heard} == {FRAME_BYTES}
    assert find(SOUND[96_000:192_000], b"".join(heard)).correlation > 0.9999
    assert not any(heard[-1])


async def test_slow_listener_misses_what_is_between(board: SimBoard) -> None:
    await board.amplifier().switch(True)
    frames = board.horn.frames()
    await anext(frames)
    await asyncio.sleep(60)
    before = asyncio.get_running_loop().time()
    await anext(frames)
    await anext(frames)
    assert asyncio.get_running_loop().time() - before <= 0.041


async def test_only_the_last_seconds_are_kept(board: SimBoard) -> None:
    await board.amplifier().switch(True)
    await asyncio.sleep(20)
    await play(board)
    heard = board.horn.heard()
    assert len(heard.samples) == 5 * 96_000
    assert heard.ended_ms == pytest.approx(EPOCH + 23_040, abs=30)
    assert find(SOUND, heard.samples).correlation > 0.9999


async def test_recording_is_a_wave_file(board: SimBoard, tmp_path: Path) -> None:
    await board.amplifier().switch(True)
    await asyncio.sleep(1)
    board.horn.record(tmp_path / "heard.wav")
    await play(board)
    board.horn.stop_recording()
    with wave.open(str(tmp_path / "heard.wav")) as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (48_000, 1, 2)
        assert find(SOUND, file.readframes(file.getnframes())).correlation > 0.9999


async def test_unplugged_card_is_silent_at_once(board: SimBoard, clock: LoopClock) -> None:
    await board.amplifier().switch(True)
    await asyncio.sleep(1)
    for frame in FRAMES[:10]:
        await board.card().write(frame)
    unplugged = clock.now().wall
    board.sound_card.unplug()
    await asyncio.sleep(1)
    assert any(board.horn.heard(unplugged - 20, unplugged).samples)
    assert not any(board.horn.heard(unplugged, None).samples)


async def test_late_writer_leaves_a_gap(board: SimBoard) -> None:
    await board.amplifier().switch(True)
    await asyncio.sleep(1)
    await board.card().write(FRAMES[0])
    await asyncio.sleep(0.3)
    await board.card().write(FRAMES[1])
    assert board.sound_card.underruns == 1


async def test_stray_noise_needs_the_amplifier(board: SimBoard) -> None:
    board.horn.stray(0.2)
    await asyncio.sleep(2)
    assert board.meter().level_cdb() == -12_000
    board.sim_amplifier.bridge(True)
    await asyncio.sleep(2)
    level = board.meter().level_cdb()
    assert level is not None and level > -2500


async def test_board_without_a_meter(clock: LoopClock) -> None:
    assert SimBoard(clock, metered=False).meter().level_cdb() is None


async def test_edges_of_the_amplifier_are_kept(board: SimBoard) -> None:
    for on in (True, False, True):
        await board.amplifier().switch(on)
        await asyncio.sleep(1)
    edges = board.sim_amplifier.edges
    assert [edge.on for edge in edges] == [True, False, True]
    assert all(after.mono_ms - before.mono_ms == pytest.approx(1000) for before, after in pairwise(edges))
