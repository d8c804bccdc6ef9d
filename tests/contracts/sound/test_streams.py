"""The simulator's player keeps the contract of streams."""

from __future__ import annotations

import pytest

from edge.ports import Player
from simulators.player import PyAvPlayer
from tests.contracts.sound.player_contract import StreamContract, songs

__all__ = ["songs"]


class TestPyAvStreams(StreamContract):
    ends_within_s = 4.0  # FFmpeg reads in larger lumps, so more is gathered

    @pytest.fixture
    def player(self) -> Player:
        return PyAvPlayer()
