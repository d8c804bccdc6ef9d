"""libVLC keeps the player's contracts."""

from __future__ import annotations

import pytest

from edge.ports import Player
from hardware.vlc_player import VlcPlayer
from tests.contracts.sound.player_contract import PlayerContract, StreamContract, songs

__all__ = ["songs"]


@pytest.mark.slow
class TestVlcPlayer(PlayerContract):
    real_time = True

    @pytest.fixture
    def player(self) -> Player:
        return VlcPlayer()


class TestVlcStreams(StreamContract):
    @pytest.fixture
    def player(self) -> Player:
        return VlcPlayer()
