"""A player that takes seconds until its first sample: a cold card, an old computer, a machine that is busy."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from edge.ports import SoundSource
from simulators.listening import find
from tests.edge.audio.conftest import SONG
from tests.edge.audio.scene import Scene


@pytest.mark.parametrize("opening_s", [1.5, 2.5, 4.0])
async def test_late_programme_is_heard_although_opening_takes_long(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, opening_s: float
) -> None:
    open_at_once = scene.player.open

    async def open_slowly(media: Path, *, offset_ms: int = 0) -> SoundSource:
        await asyncio.sleep(opening_s)
        return await open_at_once(media, offset_ms=offset_ms)

    monkeypatch.setattr(scene.player, "open", open_slowly)
    await scene.until(1000)
    await scene.switch(scene.programme(1000))
    await scene.until(12_500)
    ((_, began),) = scene.started()
    assert began <= 1000 + opening_s * 2250 + 1500, "it may be opened twice, but not again and again"
    found = find(SONG[11_000 * 96 : 11_400 * 96], scene.heard().samples)
    assert found.offset_ms - 11_000 == pytest.approx(1000, abs=1.1)
    assert found.correlation > 0.99
