"""What hangs is seen by `Vital`: a card, the disk, a decision."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor

from edge.audio.engine import Engine
from edge.disk import Disk
from edge.vital import Organ, Vital
from simulators.board import SimBoard
from simulators.loop_clock import LoopClock
from simulators.media_shelf import MediaShelf
from simulators.player import PyAvPlayer
from simulators.sound_card import SimSoundCard
from simulators.tone_voice import ToneVoice


class Time:
    """Seconds, as told."""

    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


async def test_disk_that_hangs_is_stuck() -> None:
    time, hold = Time(), threading.Event()
    vital = Vital(time)
    with ThreadPoolExecutor(1) as executor:
        disk = Disk(executor, vital=vital)
        work = [asyncio.create_task(disk.run(lambda: hold.wait(10))) for _ in range(2)]
        await asyncio.sleep(0.02)
        time.now_s = 30
        assert vital.stuck() == (Organ.DISK,)
        hold.set()
        await asyncio.gather(*work)
    assert vital.stuck() == ()


async def test_card_that_hangs_at_rest_is_stuck() -> None:
    time, clock = Time(), LoopClock()
    vital, board, hold = Vital(time), SimBoard(clock), asyncio.Event()

    class Hung(SimSoundCard):
        async def drain(self) -> None:
            await hold.wait()

    board.sound_card = Hung(clock, board.horn)
    engine = Engine.on(board, clock=clock, player=PyAvPlayer(), store=MediaShelf(), voice=ToneVoice(), vital=vital)
    async with engine:
        await asyncio.sleep(0.02)
        time.now_s = 3
        assert vital.stuck() == (Organ.SOUND,)
        hold.set()
        await asyncio.sleep(0.02)
        time.now_s = 30
        assert vital.stuck() == (), "a pump that rests is not stuck"
