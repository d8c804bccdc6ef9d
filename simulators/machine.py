"""A simulated board and player for an agent that runs alone: `python -m edge` with a device file that names them."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from edge.config import AgentConfig
from edge.ports import PacketDecoder, SoundSource
from simulators.board import SimBoard
from simulators.loop_clock import LoopClock

_KEEP_S: Final = 3


class LatePlayer:
    """Implements `edge.ports.Player`; loads PyAV, and FFmpeg with it, when something is to be played."""

    async def open(self, media: Path, *, offset_ms: int = 0) -> SoundSource:
        """See `edge.ports.Player`."""
        from simulators.player import PyAvPlayer

        return await PyAvPlayer().open(media, offset_ms=offset_ms)

    async def open_stream(self, address: str) -> SoundSource:
        """See `edge.ports.Player`."""
        from simulators.player import PyAvPlayer

        return await PyAvPlayer().open_stream(address)

    def packet_decoder(self) -> PacketDecoder:
        """See `edge.ports.Player`."""
        from simulators.player import PyAvPlayer

        return PyAvPlayer().packet_decoder()


def make_board(_: AgentConfig) -> SimBoard:
    """A board without an antenna. Nobody listens back here, and each second of memory costs 100 kB."""
    return SimBoard(LoopClock(), keep_s=_KEEP_S)


def make_player() -> LatePlayer:
    """The player."""
    return LatePlayer()
