"""Web radios that are made up in one process: a player hears them at the pace of the loop's clock.

In virtual time minutes of a failing station take a fraction of a second. A station over real HTTP, as a process that
can be held up, is `simulators.web_radio`.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

from edge.ports import FRAME_BYTES, FRAME_MS, MediaError, PacketDecoder, Player, SoundSource
from simulators.loop_clock import LoopClock


class Radio:
    """A station and its weather.

    Args:
        sound: its programme, which starts again at its end.
        burst_ms: so much is sent at once to who tunes in, as a real server does.

    Attributes:
        answers_after_ms: how long it takes to answer; None when nobody answers.
        sends: while it is off nothing comes, and the line stays open.
    """

    def __init__(self, sound: bytes, *, burst_ms: int = 1000) -> None:
        self.sound = sound
        self.burst_ms = burst_ms
        self.answers_after_ms: int | None = 100
        self.sends = True
        self._listeners: list[_Listener] = []

    def close(self) -> None:
        """Every line is closed; who calls again is answered."""
        for listener in self._listeners:
            listener.hang_up()
        self._listeners.clear()

    async def tune_in(self, clock: LoopClock) -> SoundSource:
        """A new listener. Raises MediaError when nobody answers."""
        if self.answers_after_ms is None:
            raise MediaError("nobody answers")
        await asyncio.sleep(self.answers_after_ms / 1000)
        listener = _Listener(self, clock)
        self._listeners.append(listener)
        return listener


class _Listener:
    """Frames as they come."""

    def __init__(self, radio: Radio, clock: LoopClock) -> None:
        self._radio = radio
        self._position = 0
        self._clock = clock
        self._next_ms = clock.exact_mono_ms() - radio.burst_ms
        self._closed = asyncio.Event()

    def hang_up(self) -> None:
        self._closed.set()

    async def read(self) -> bytes | None:
        """See `edge.ports.SoundSource`."""
        self._next_ms += FRAME_MS
        await asyncio.sleep(max(0.0, self._next_ms - self._clock.exact_mono_ms()) / 1000)
        while not self._radio.sends and not self._closed.is_set():
            await asyncio.sleep(FRAME_MS / 1000)
            self._next_ms = self._clock.exact_mono_ms()
        if self._closed.is_set():
            return None
        sound = self._radio.sound
        piece = sound[self._position : self._position + FRAME_BYTES]
        self._position = (self._position + FRAME_BYTES) % (len(sound) - len(sound) % FRAME_BYTES)
        return piece

    async def close(self) -> None:
        """See `edge.ports.SoundSource`."""
        self._closed.set()


class RadioPlayer:
    """Implements `edge.ports.Player`: streams come from made-up radios, all else from another player.

    Attributes:
        radios: by address.
    """

    def __init__(self, clock: LoopClock, player: Player) -> None:
        self._clock, self._player = clock, player
        self.radios: dict[str, Radio] = {}

    async def open(self, media: Path, *, offset_ms: int = 0) -> SoundSource:
        """See `edge.ports.Player`."""
        return await self._player.open(media, offset_ms=offset_ms)

    async def open_stream(self, address: str) -> SoundSource:
        """See `edge.ports.Player`."""
        radio = self.radios.get(address)
        if radio is None:
            raise MediaError(f"nobody answers at {address}")
        return await radio.tune_in(self._clock)

    def packet_decoder(self) -> PacketDecoder:
        """See `edge.ports.Player`."""
        return self._player.packet_decoder()
