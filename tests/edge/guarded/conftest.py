"""A square with a whole agent and a guardian, in virtual time."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from protocol.bulletin import MediaRef
from simulators.encoder import encode
from simulators.melody import melody
from tests.attacks.conftest import PatientLoop
from tests.edge.guarded.square import PROGRAMME_MS, Recording, Square, open_square

MakeSquare = Callable[..., Any]


def pytest_asyncio_loop_factories(item: pytest.Function) -> dict[str, Callable[[], asyncio.AbstractEventLoop]]:
    """Virtual time that waits for what is decoded in a thread or a child."""
    return {"virtual": PatientLoop}


@pytest.fixture(scope="package")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Recording:
    """The programme as samples and as a file, and what the station broadcasts."""
    samples = melody(31, duration_ms=PROGRAMME_MS)
    data = encode(samples, tmp_path_factory.mktemp("media") / "programme.opus").read_bytes()
    media = MediaRef(hashlib.sha256(data).hexdigest(), len(data), PROGRAMME_MS)
    return Recording(samples, data, media, melody(11, duration_ms=5000))


@pytest.fixture
async def opened(tmp_path: Path, recording: Recording) -> AsyncIterator[MakeSquare]:
    """Opens squares with a signed configuration that the test writes."""
    async with AsyncExitStack() as stack:

        async def make(*, guarded: bool = True, name: str = "square", **config: Any) -> Square:
            directory = tmp_path / name
            directory.mkdir()
            return await stack.enter_async_context(open_square(directory, recording, guarded=guarded, config=config))

        yield make
