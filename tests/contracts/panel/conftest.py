"""Simulated and mocked pins are tested in virtual time; a suite of real pins says `real_time = True` in its class."""

from __future__ import annotations

from tests.contracts.sound.conftest import pytest_asyncio_loop_factories as pytest_asyncio_loop_factories
