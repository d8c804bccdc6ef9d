"""Everything here runs in virtual time: minutes of sound in fractions of a second, the same way every time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from simulators.encoder import encode
from simulators.melody import melody
from simulators.virtual_loop import VirtualLoop
from tests.edge.audio.scene import Scene

SONG = melody(1, duration_ms=12_000)


def pytest_asyncio_loop_factories(item: pytest.Item) -> dict[str, Callable[[], asyncio.AbstractEventLoop]]:
    """Which loop pytest-asyncio makes for these tests: a real one if the module says so."""
    if isinstance(item, pytest.Function) and getattr(item.module, "REAL_TIME", False):
        return {"real": asyncio.new_event_loop}
    return {"virtual": VirtualLoop}


@pytest.fixture(scope="session")
def song(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A programme of twelve seconds."""
    return encode(SONG, tmp_path_factory.mktemp("media") / "song.wav")


@pytest.fixture
async def scene(song: Path) -> AsyncIterator[Scene]:
    """A device with its sound path running and one programme stored."""
    scene = Scene(song)
    async with scene.engine:
        yield scene
        await scene.close()
