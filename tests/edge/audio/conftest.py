"""Everything here runs in virtual time: minutes of sound in fractions of a second, the same way every time."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from simulators.encoder import encode
from simulators.melody import melody
from simulators.virtual_loop import VirtualLoop
from tests.edge.audio.scene import Scene

SONG = melody(1, duration_ms=12_000)


def pytest_asyncio_loop_factories() -> dict[str, Callable[[], VirtualLoop]]:
    """Which loop pytest-asyncio makes for these tests."""
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
