"""One town of real processes for each module; every device in it is used once, so no backoff is inherited."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from controller.web.i18n import compile_catalogues
from simulators.encoder import encode
from simulators.melody import melody
from simulators.real_town import MOSQUITTO, RealTown, open_town
from tests.component import need

DEVICES = tuple(f"c{number:02}" for number in range(1, 13))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def town(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[RealTown]:
    """Controller and broker, with certificates."""
    need(MOSQUITTO is not None, "mosquitto")
    compile_catalogues()
    async with open_town(tmp_path_factory.mktemp("town"), DEVICES) as town:
        yield town


@pytest.fixture(scope="module")
def fresh(town: RealTown) -> Iterator[str]:
    """Names of devices that nobody was yet."""
    return iter(DEVICES)


@pytest.fixture(scope="session")
def short(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A second of sound."""
    return encode(melody(1, duration_ms=1000), tmp_path_factory.mktemp("sound") / "short.opus")


@pytest.fixture(scope="session")
def long(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Half a megabyte of sound: a minute on a line of 64 kbit/s."""
    return encode(melody(2, duration_ms=120_000), tmp_path_factory.mktemp("sound") / "long.opus")
