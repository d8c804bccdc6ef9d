"""The same sound path with threads and real time: what is judged is the sound, not the time it took."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from simulators.encoder import encode
from simulators.listening import find
from tests.edge.audio.conftest import SONG
from tests.edge.audio.scene import Scene

REAL_TIME = True


@pytest.mark.slow
async def test_stored_opus_is_heard_where_it_belongs(scene: Scene, tmp_path: Path) -> None:
    media = scene.shelf.put(encode(SONG, tmp_path / "song.opus"), duration_ms=12_000)
    await scene.switch(scene.programme(1200, media=media), at_ms=1200)
    await scene.until(3500)
    found = find(SONG[500 * 96 : 1500 * 96], scene.heard().samples)
    assert found.correlation > 0.98
    assert found.offset_ms - 500 == pytest.approx(1200, abs=250)


@pytest.mark.slow
async def test_engine_leaves_no_task_behind(scene: Scene, tmp_path: Path) -> None:
    media = scene.shelf.put(encode(SONG, tmp_path / "song.opus"), duration_ms=12_000)
    for count in range(20):
        await scene.switch(scene.programme(0, media=media, item=str(count)))
        await asyncio.sleep(0.01)
    await scene.switch(scene.alert())
    await asyncio.sleep(0.05)
    await scene.engine.stop()
    await scene.close()
    assert asyncio.all_tasks() == {asyncio.current_task()}
