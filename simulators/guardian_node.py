"""The guardian's board in an event loop: its serial line is a descriptor, its relay sits before a horn.

On a `VirtualLoop` the board's process and the loop live in the same time, turn by turn; on an ordinary loop it is
real time. What hangs on the bus hears the ether that it is given.
"""

from __future__ import annotations

import asyncio
import os
import socket
import tty
from collections.abc import Mapping
from pathlib import Path
from typing import Final, Self

from hardware.guardian import wire
from simulators.amplifier import SimAmplifier
from simulators.chip_air import air_of
from simulators.fm_station import SimEther, received
from simulators.guardian_board import GuardianBoard, PinEdge
from simulators.guardian_clock_chip import ADDRESS as CLOCK_ADDRESS
from simulators.guardian_clock_chip import SimClockChip
from simulators.guardian_horn import GuardedHorn, Through
from simulators.loop_clock import LoopClock
from simulators.si4703_chip import Si4703Chip

QUANTUM_MS: Final = 10.0
KEY: Final = bytes(range(7, 7 + wire.KEY_BYTES))
SDA, RELAY_SOUND, RELAY_FM, AMPLIFIER, TUNER_RESET, PAIRING = 4, 6, 7, 8, 9, 22
_READ_BYTES: Final = 65_536
_TAPE_BYTES: Final = 65_536
_TUNER_ADDRESS: Final = 0x10


class GuardianNode:
    """A board with its firmware running, paired with KEY; `async with` gives it power and takes it away.

    Args:
        ether: what its tuner receives; None for the variant without one.
        chip_wall_ms: the time of its clock chip; None for a board without one.
        pty: a real pseudo-terminal as the line, for pyserial; else a socket, whose bytes arrive at once.
        paired: whether it holds the key already.

    Attributes:
        board: to cut its power, hold it, look at its pins.
        horn: what is heard behind its relay.
        amplifier: the line it drives.
        moves: what the relay let through, and from when on.
        cut: the line is broken: nothing passes.
        tape: what somebody on the line has recorded of the computer.
    """

    def __init__(
        self,
        clock: LoopClock,
        *,
        ether: SimEther | None = None,
        chip_wall_ms: float | None = None,
        pty: bool = False,
        paired: bool = True,
        files: Mapping[str, bytes] | None = None,
    ) -> None:
        self._clock = clock
        self._ether = SimEther() if ether is None else ether
        self.board = GuardianBoard(clock.exact_mono_ms(), files=files)
        self.board.flash = {"key": KEY} if paired else {}
        self.board.listeners.append(self._on_edge)
        self.horn = GuardedHorn(clock, self._fm_frame)
        self.amplifier = SimAmplifier(clock, self.horn)
        self.moves: list[tuple[float, Through]] = []
        self.chip: Si4703Chip | None = None
        self.clock_chip: SimClockChip | None = None
        self.cut = False
        self.tape = b""
        self._fit(ether is not None, chip_wall_ms)
        self._ours, self._theirs, self.path = _line(pty)
        self._handle: asyncio.TimerHandle | None = None

    def _fit(self, tuner: bool, chip_wall_ms: float | None) -> None:
        bus = self.board.bus
        if tuner:
            self.chip = Si4703Chip(self._board_ms, air_of(self._ether), bus.data_is_low)
            bus.chips[_TUNER_ADDRESS] = self.chip
        if chip_wall_ms is not None:
            self.clock_chip = SimClockChip(self._board_ms, wall_ms=chip_wall_ms)
            bus.chips[CLOCK_ADDRESS] = self.clock_chip

    async def __aenter__(self) -> Self:
        self.board.power(True)
        self._turn()
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._handle is not None:
            self._handle.cancel()
        self.board.close()
        os.close(self._ours)
        os.close(self._theirs)

    def open(self) -> int:
        """The computer's end of the line, as `GuardianLink` takes it."""
        return os.dup(self._theirs)

    def write(self, data: bytes) -> None:
        """Puts bytes on the line as the computer's UART would, whoever it is that speaks."""
        os.write(self._theirs, data)

    @property
    def through(self) -> Through:
        """What the relay lets through now."""
        return self.moves[-1][1] if self.moves else Through.SILENCE

    def _turn(self) -> None:
        now_ms = self._clock.exact_mono_ms()
        self._carry()
        self.board.run(now_ms)
        sent = self.board.sent()
        if sent and not self.cut:
            self._tell(sent)
        if self.through is Through.FM:
            self.horn.keep_up()
        loop = asyncio.get_running_loop()
        self._handle = loop.call_at((now_ms + QUANTUM_MS) / 1000, self._turn)

    def _tell(self, sent: bytes) -> None:
        try:
            os.write(self._ours, sent)
        except BlockingIOError:
            pass  # nobody listens, as on a real line

    def _carry(self) -> None:
        try:
            data = os.read(self._ours, _READ_BYTES)
        except BlockingIOError:
            return
        if not self.cut:
            self.board.feed(data)
            self.tape = (self.tape + data)[-_TAPE_BYTES:]

    def _board_ms(self) -> float:
        return self.board.now_ms

    def _on_edge(self, edge: PinEdge) -> None:
        levels = self.board.levels
        if edge.pin == SDA:
            self.board.bus.hold(not edge.level)
        elif edge.pin == TUNER_RESET and self.chip is not None:
            self.chip.reset(edge.level)
        elif edge.pin == AMPLIFIER:
            self.amplifier.drive(edge.level)
        elif edge.pin in (RELAY_SOUND, RELAY_FM):
            through = Through.FM if levels.get(RELAY_FM) else Through.COMPUTER
            through = through if levels.get(RELAY_SOUND) else Through.SILENCE
            if through is not self.through:
                self.moves.append((edge.mono_ms, through))
                self.horn.let_through(edge.mono_ms, through)

    def _fm_frame(self, mono_ms: float) -> bytes:
        khz = 0 if self.chip is None or not self.chip.sounds else self.chip.frequency_khz
        return received(self._ether, khz, mono_ms)


def _line(pty: bool) -> tuple[int, int, Path | None]:
    """Our end, the computer's end, and the computer's end by name if it has one."""
    if not pty:
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        return ours.detach(), theirs.detach(), None
    master, slave = os.openpty()
    tty.setraw(slave)
    os.set_blocking(master, False)
    return master, slave, Path(os.ttyname(slave))
