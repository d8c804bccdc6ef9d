"""Figure `mic`: from the edge of the talk button to the first microphone sample at the sound card's output.

The real agent, core and engine, with its disk and without any network; the real ALSA drivers over libasound's `file`
and `null` plug-ins, so the microphone, the voice chain and the card are those of a board, but for the kernel's part.
The time runs from the panel's event to the moment at which the card will sound the first sample that is not silence.

- `cold`: nothing has sounded, the amplifier is off. Of this time the amplifier's lead-in (700 ms unless signed
  otherwise; `lead_in_ms`) is waited on purpose, so that no word is cut. `cold_ours_*` is what is left; all else
  happens meanwhile.
- `warm`: the amplifier is still on, within its hold time, and all of it is ours: what the card has in its buffer
  already (80 to 100 ms) and the change of source (40 ms), in which the input is opened and its first frames come.

Left out: the panel's debouncing (its own constant), what a real driver takes to open, and its untold milliseconds.
`voice_delay_ms` is computed, not measured: the frame, the voice chain, and the card's buffer, while speaking goes on.
"""

from __future__ import annotations

import asyncio
import logging
import random
import sys
import tempfile
import time
from array import array
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from edge.app import run_agent
from edge.audio.engine import HOLD_MS, LEAD_IN_MS
from edge.config import AgentConfig
from edge.ports import FRAME_MS, SAMPLE_RATE
from hardware.alsa_card import AlsaCard
from hardware.microphone import AlsaMicrophone
from hardware.voice_chain import DELAY_MS
from protocol import codec
from protocol.grants import Anchor
from protocol.keys import SigningKey
from simulators.alsa_plugins import alsa_plugins
from simulators.bench import told
from simulators.bench.little_controller import PLACE, PROVINCE
from simulators.board import SimBoard
from simulators.loop_clock import LoopClock
from simulators.machine import LatePlayer
from simulators.melody import noise

COLD_PRESSES: Final = 15
WARM_PRESSES: Final = 60
_SETTLE_S: Final = 2.0
_TALK_S: Final = 0.3
_PAUSE_S: Final = (0.4, 0.9)
_COLD_S: Final = HOLD_MS / 1000 + 1.5
_PATIENCE_S: Final = 5.0
_SAMPLES_PER_MS: Final = SAMPLE_RATE // 1000
_DEAD_PORT: Final = 9


class _ListenedCard(AlsaCard):
    """Tells when the first sample after a press leaves it."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self._pressed_ms = 0.0
        self._first: asyncio.Future[float] | None = None

    def pressed(self) -> asyncio.Future[float]:
        """The button goes down now; answers how long it takes until something is heard, in ms."""
        self._pressed_ms = _now_ms()
        self._first = asyncio.get_running_loop().create_future()
        return self._first

    async def write(self, frame: bytes) -> None:
        """See `edge.ports.SoundCard`."""
        if self._first is not None and any(frame):
            begins = next(index for index, value in enumerate(array("h", frame)) if value)
            heard_ms = _now_ms() + self.delay_ms() + begins / _SAMPLES_PER_MS
            self._first.set_result(heard_ms - self._pressed_ms)
            self._first = None
        await super().write(frame)


class _AlsaBoard(SimBoard):
    """A simulated board whose sound goes in and out by ALSA."""

    def __init__(self, ring: Path) -> None:
        super().__init__(LoopClock(), keep_s=3)
        self.listened = _ListenedCard("loa_null")
        self._alsa_microphone = AlsaMicrophone("loa_input", ring=ring)

    def card(self) -> AlsaCard:  # type: ignore[override]
        """See `edge.ports.Board`."""
        return self.listened

    def microphone(self) -> AlsaMicrophone:  # type: ignore[override]
        """See `edge.ports.Board`."""
        return self._alsa_microphone


async def measure(
    *, cold_presses: int = COLD_PRESSES, warm_presses: int = WARM_PRESSES, seed: int = 1
) -> dict[str, float]:
    """Times in ms, and how often the card ran dry."""
    chance = random.Random(seed)
    with tempfile.TemporaryDirectory() as folder, alsa_plugins(Path(folder), said=noise()[: 500 * 96]):
        async with _agent(Path(folder)) as board:
            await asyncio.sleep(_SETTLE_S)
            cold = []
            for _ in range(cold_presses):
                await asyncio.sleep(_COLD_S + chance.uniform(*_PAUSE_S))
                cold.append(await _press(board))
            warm = []
            await _press(board)
            for _ in range(warm_presses):
                await asyncio.sleep(chance.uniform(*_PAUSE_S))
                warm.append(await _press(board))
            card = board.listened
            voice_delay_ms = FRAME_MS + DELAY_MS + FRAME_MS + card.depth_ms
            await card.close()
    figures = told.spread("cold_", cold) | told.spread("cold_ours_", [value - LEAD_IN_MS for value in cold])
    figures |= told.spread("warm_", warm)
    return figures | {"lead_in_ms": LEAD_IN_MS, "voice_delay_ms": voice_delay_ms, "xruns": card.xruns}


async def _press(board: _AlsaBoard) -> float:
    first = board.listened.pressed()
    board.buttons.press_talk()
    try:
        async with asyncio.timeout(_PATIENCE_S):
            return await first
    finally:
        await asyncio.sleep(_TALK_S)
        board.buttons.release_talk()


@asynccontextmanager
async def _agent(folder: Path) -> AsyncIterator[_AlsaBoard]:
    key = SigningKey.generate()
    anchor = folder / "anchor.json"
    anchor.write_bytes(codec.encode(Anchor(PROVINCE, (key.public,), 1, (key.public,))))
    config = AgentConfig(
        device="bench-mic",
        place=PLACE,
        controller_url=f"http://127.0.0.1:{_DEAD_PORT}",
        mqtt_host="127.0.0.1",
        mqtt_port=_DEAD_PORT,
        token="bench",  # noqa: S106
        anchor=str(anchor),
        data=str(folder / "data"),
        media_reserve_mb=0,
        system_clock=False,
    )
    board = _AlsaBoard(folder / "ring")
    agent = asyncio.create_task(run_agent(config, board, LatePlayer()))
    try:
        yield board
    finally:
        agent.cancel()
        await asyncio.wait([agent])


def _now_ms() -> float:
    return time.monotonic() * 1000


def main(argv: list[str]) -> int:
    """Prints the figure."""
    parser = told.parser("mic", __doc__)
    parser.add_argument("--cold", type=int, default=COLD_PRESSES, help="presses with the amplifier off, 7 s each")
    parser.add_argument("--warm", type=int, default=WARM_PRESSES, help="presses with the amplifier on, 1 s each")
    options = parser.parse_args(argv)
    logging.basicConfig(level=logging.ERROR, format="%(message)s")
    figures = asyncio.run(measure(cold_presses=options.cold, warm_presses=options.warm))
    told.tell(figures, as_json=options.json)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
