"""The self-test without a board: `python -m hardware.selftest --parts simulators.mock_selftest:make_parts`.

All drivers are real, down to libasound and the I2C messages; behind them are mock pins, models of the chips and of
the speaker line, and ALSA's own plug-ins. The line hears what is played, and the microphone hears a quiet room.
"""

from __future__ import annotations

import audioop
import random
import tempfile
import time
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Final

from hardware.board import HardwareBoard
from hardware.board_file import BoardFile
from hardware.ds3231 import Ds3231
from hardware.selftest.fitting import parts_of
from hardware.selftest.parts import Parts
from simulators.alsa_plugins import alsa_plugins
from simulators.mock_board import MockParts, mock_file

_ROOM_AMPLITUDE: Final = 12
_ROOM_SAMPLES: Final = 48_000 * 4
_LOOK_BYTES: Final = 48_000 // 10 * 2
_FULL_VOLTS: Final = 100.0
_HISS_VOLTS: Final = 0.02


def make_parts(file: BoardFile) -> Parts:
    """Parts of the mock board; the file that was given is another board's. Made inside the running event loop."""
    del file
    stack = ExitStack()
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="mock-board-")))
    played = stack.enter_context(alsa_plugins(folder, said=_quiet_room()))
    mock = MockParts()
    mock.line.sound_volts = _Heard(played).volts
    Ds3231(mock.bus).set(int(time.time()))
    board = HardwareBoard(mock_file(), mock.access)

    async def close() -> None:
        await board.close()
        stack.close()

    return replace(parts_of(board), close=close)


def _quiet_room() -> bytes:
    dice = random.Random(3)
    samples = [dice.randint(-_ROOM_AMPLITUDE, _ROOM_AMPLITUDE) for _ in range(_ROOM_SAMPLES)]
    return b"".join(one.to_bytes(2, "little", signed=True) for one in samples)


class _Heard:
    """What the amplifier makes of the last 100 ms that reached the card, if something did since it was last asked."""

    def __init__(self, played: Path) -> None:
        self._played, self._seen = played, 0

    def volts(self) -> float:
        """RMS voltage of the line while the amplifier is on."""
        size = self._played.stat().st_size if self._played.exists() else 0
        if size <= self._seen:
            return _HISS_VOLTS
        self._seen = size
        with self._played.open("rb") as file:
            file.seek(max(0, size - _LOOK_BYTES) // 2 * 2)
            data = file.read(_LOOK_BYTES)
        return max(_HISS_VOLTS, audioop.rms(data[: len(data) // 2 * 2], 2) / 32_768 * 2**0.5 * _FULL_VOLTS)
