"""A panel without a device behind it: remembers what was touched and shows what it is told."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager

from simulators.face import Face, NetworkWeather, StationWeather, StickState, TalkSource


class PaperDevice:
    """Answers at once and does nothing."""

    def __init__(self, device: str = "d-31498-01", *, full_sound: bool = True) -> None:
        self.device = device
        self.place = "vn/92/31498/c01"
        self.name = "Loa chợ trung tâm"
        self.full_sound = full_sound
        self.touched: list[str] = []
        self.heard: list[bytes] = []
        self.frames: asyncio.Queue[bytes] = asyncio.Queue()
        self.listeners = 0
        self._face = Face(linked=True, clock="agreed", media_held=2, media_wanted=3)

    def face(self) -> Face:
        return self._face

    def become(self, **changes: object) -> None:
        self._face = dataclasses.replace(self._face, **changes)

    async def talk(self, source: TalkSource) -> None:
        self.touched.append(f"talk {source}")
        self.become(talking=True, rung=1 if self._face.key_turned else 3, amplifier=True, level_cdb=-1800)

    async def release(self) -> None:
        self.touched.append("release")
        self.become(talking=False, rung=9, amplifier=False)

    def hear_voice(self, frame: bytes) -> None:
        self.heard.append(frame)

    def turn_key(self, on: bool) -> None:
        self.touched.append(f"key {on}")
        self.become(key_turned=on)

    async def press_stop(self) -> None:
        self.touched.append("stop")

    async def press_message(self, number: int) -> None:
        self.touched.append(f"message {number}")

    async def set_network(self, weather: NetworkWeather) -> None:
        self.touched.append(f"network {weather}")
        self.become(network=weather, linked=weather is NetworkWeather.UP)

    async def set_power(self, on: bool) -> None:
        self.touched.append(f"power {on}")
        self.become(powered=on)

    async def set_hung(self, hung: bool) -> None:
        self.touched.append(f"hung {hung}")
        self.become(hung=hung)

    def set_station(self, weather: StationWeather) -> None:
        self.touched.append(f"station {weather}")
        self.become(station=weather, faults=("fm_refused",) if weather is StationWeather.FOREIGN else ())

    async def plug_stick(self) -> None:
        self.touched.append("stick")
        self.become(stick=StickState.DONE)

    @contextmanager
    def listen(self) -> Iterator[AsyncIterator[bytes]]:
        self.listeners += 1
        try:
            yield self._sound()
        finally:
            self.listeners -= 1

    async def _sound(self) -> AsyncIterator[bytes]:
        while True:
            yield await self.frames.get()
