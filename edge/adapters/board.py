"""A real board as the agent sees it: `"board": "edge.adapters.board:make_board"`, described by `board.json`."""

from __future__ import annotations

from pathlib import Path

from edge.adapters.board_clocks import BoardClocks
from edge.adapters.panel_events import PanelEvents
from edge.config import AgentConfig, ConfigError
from edge.ports import Amplifier, ClockChip, FmTuner, Guardian, Lamps, Meter, Microphone, SoundCard, Watch
from hardware.access import Access
from hardware.board import HardwareBoard
from hardware.board_file import BoardFile, read_board
from hardware.errors import BoardError


class AgentBoard:
    """Implements `edge.ports.Board`."""

    def __init__(self, hardware: HardwareBoard) -> None:
        self.hardware = hardware
        self._panel = PanelEvents(hardware.buttons())
        self._clocks = BoardClocks(hardware.chips)

    def card(self) -> SoundCard:
        """See `edge.ports.Board`."""
        return self.hardware.card()

    def microphone(self) -> Microphone:
        """See `edge.ports.Board`."""
        return self.hardware.microphone()

    def tuner(self) -> FmTuner | None:
        """See `edge.ports.Board`."""
        return self.hardware.tuner()

    def panel(self) -> PanelEvents:
        """See `edge.ports.Board`."""
        return self._panel

    def amplifier(self) -> Amplifier:
        """See `edge.ports.Board`."""
        return self.hardware.amplifier()

    def meter(self) -> Meter:
        """See `edge.ports.Board`."""
        return self.hardware.meter()

    def clock_sources(self) -> BoardClocks:
        """See `edge.ports.Board`."""
        return self._clocks

    def clock_chip(self) -> ClockChip | None:
        """See `edge.ports.Board`."""
        return self.hardware.chips.own_chip()

    def lamps(self) -> Lamps:
        """See `edge.ports.Board`."""
        return self.hardware.lamps()

    def guardian(self) -> Guardian | None:
        """See `edge.ports.Board`."""
        return self.hardware.guardian()

    def watch(self) -> Watch:
        """See `edge.ports.Board`."""
        return self.hardware.watch()

    async def close(self) -> None:
        """Lets go of everything; relays are left open."""
        await self.hardware.close()


def make_board(config: AgentConfig, *, access: Access | None = None) -> AgentBoard:
    """The board that the configuration names; without a file, a sound card alone.

    Raises:
        ConfigError: the board's file cannot be used; the message says what to write instead.
    """
    try:
        file = read_board(Path(config.board_file)) if config.board_file else BoardFile()
    except BoardError as error:
        raise ConfigError(str(error)) from error
    return AgentBoard(HardwareBoard(file, access))
