"""Fixtures: `controller` is a whole running service; override `capabilities` in a module to start less of it."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from controller.app import CAPABILITIES
from controller.web.i18n import compile_catalogues
from tests.controller.running import Hands, RunningController, fill, run_controller


@pytest.fixture(scope="session")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data directory with people and units, made once."""
    compile_catalogues()
    data = tmp_path_factory.mktemp("filled")
    asyncio.run(fill(data))
    return data


@pytest.fixture
def capabilities() -> tuple[str, ...]:
    """What is started."""
    return CAPABILITIES


@pytest.fixture
def hands() -> Hands:
    """Turns the controller's clock: `hands.passed_ms += 3_600_000`."""
    return Hands()


@pytest.fixture
async def controller(
    filled: Path, tmp_path: Path, hands: Hands, capabilities: tuple[str, ...]
) -> AsyncIterator[RunningController]:
    """A running controller with its own copy of the data."""
    data = tmp_path / "data"
    shutil.copytree(filled, data)
    async with run_controller(data, clock=hands, capabilities=capabilities) as running:
        yield running
