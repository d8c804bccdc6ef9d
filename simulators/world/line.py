"""The way between one device and the controller's side: delay, loss, and all the ways of not being there.

Stands for the modem, the mast and everything behind it, as TCP shows them: bytes of one connection come in order or
not at all, so a lost packet is a pause, a hole in the network is silence until somebody loses patience, and only
what both ends are told of (a cable pulled, a reset) ends a connection at once. Nothing costs anything while nothing
is sent.
"""

from __future__ import annotations

import asyncio
import random
from collections import deque
from collections.abc import Callable
from contextvars import copy_context
from dataclasses import dataclass
from typing import Final, Literal

Way = Literal["up", "down"]
BOTH: Final[tuple[Way, Way]] = ("up", "down")
PACKET_BYTES: Final = 120
"""What a message costs beside its payload: headers of TCP, TLS and MQTT."""
_DELAY_MS: Final = 40
_JITTER_MS: Final = 30
_RETRANSMIT_S: Final = 0.3
_RETRANSMIT_S_MAX: Final = 60.0
_RETRIES_MAX: Final = 9
_SYN_S: Final = (1.0, 3.0, 7.0, 15.0)
"""When TCP asks again for a connection that nobody answered."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """What is wrong with a line for a while; several may be at once.

    Attributes:
        up, down: nothing passes this way, and nobody is told.
        torn: both ends know at once, and what is open ends.
        portal: somebody else answers in the controller's place.
        port: only this port is concerned, `mqtt` or `https`; empty for all.
        delay_ms, jitter_ms: added to each way.
        loss: part of the packets that TCP must send again.
        rate_bytes_s: no faster than this; 0 for as fast as may be.
    """

    up: bool = False
    down: bool = False
    torn: bool = False
    portal: bool = False
    port: str = ""
    delay_ms: int = 0
    jitter_ms: int = 0
    loss: float = 0.0
    rate_bytes_s: int = 0


HALF_OPEN: Final = Trouble(up=True, down=True)
CUT: Final = Trouble(up=True, down=True, torn=True)


class Line:
    """One device's line.

    Args:
        chance: the line's own stream.
        delay_ms, jitter_ms: of each way when nothing is wrong.

    Attributes:
        carried_bytes: each way, since the world began.
        outside: where what it carries arrives: no longer in the process that sent it.
    """

    def __init__(self, chance: random.Random, *, delay_ms: int = _DELAY_MS, jitter_ms: int = _JITTER_MS) -> None:
        self._chance, self.outside = chance, copy_context()
        self._loop = asyncio.get_running_loop()
        self._troubles: list[Trouble] = []
        self._watchers: list[Callable[[], None]] = []
        self._wires: list[Wire] = []
        self._free_at: dict[Way, float] = {"up": 0.0, "down": 0.0}
        self.carried_bytes: dict[Way, int] = {"up": 0, "down": 0}
        self._usual_ms = delay_ms, jitter_ms
        self._add_up()

    # Its state.

    def begin(self, trouble: Trouble) -> None:
        """From now on it is like this."""
        self._troubles.append(trouble)
        self._add_up()
        if trouble.torn or trouble.portal:
            for wire in tuple(self._wires):
                if trouble.port in ("", wire.port):
                    wire.tear()
        self._tell()

    def end(self, trouble: Trouble) -> None:
        """That is over; what else is wrong stays wrong."""
        if trouble in self._troubles:
            self._troubles.remove(trouble)
            self._add_up()
            for wire in tuple(self._wires):
                if wire.portal and not self.portal(wire.port):
                    wire.tear()
            self._tell()

    def cut(self) -> None:
        """Nothing passes, and both ends know."""
        self.begin(CUT)

    def restore(self) -> None:
        """As good as new."""
        self._troubles.clear()
        self._add_up()
        self._tell()

    def tear(self) -> None:
        """Whatever is open over this line ends at once; the next connection finds it whole."""
        for wire in tuple(self._wires):
            wire.tear()

    def passes(self, *ways: Way, port: str = "", portal: bool = False) -> bool:
        """Whether something sent now would arrive; without a way: both ways. With `portal`: at the portal."""
        for one in self._troubles:
            blocks = (one.portal and not portal) or any(getattr(one, way) for way in ways or BOTH)
            if blocks and one.port in ("", port):
                return False
        return True

    def known_down(self, port: str = "") -> bool:
        """Whether the device is told at once that there is no way."""
        return any(one.torn and one.port in ("", port) for one in self._troubles)

    def portal(self, port: str = "") -> bool:
        """Whether somebody else answers."""
        return not self.known_down(port) and any(one.portal and one.port in ("", port) for one in self._troubles)

    def watch(self, told: Callable[[], None]) -> None:
        """Is called whenever the line has changed."""
        self._watchers.append(told)

    def unwatch(self, told: Callable[[], None]) -> None:
        """No longer."""
        if told in self._watchers:
            self._watchers.remove(told)

    def _tell(self) -> None:
        for told in tuple(self._watchers):
            told()

    def _add_up(self) -> None:
        troubles = self._troubles
        delay_ms, jitter_ms = self._usual_ms
        self.delay_ms = delay_ms + sum(one.delay_ms for one in troubles)
        self.jitter_ms = jitter_ms + sum(one.jitter_ms for one in troubles)
        self.loss = max((one.loss for one in troubles), default=0.0)
        self.rate_bytes_s = min((one.rate_bytes_s for one in troubles if one.rate_bytes_s), default=0)

    def draw(self) -> float:
        """From 0 to 1."""
        return self._chance.random()

    # What passes.

    def arrival(self, way: Way, size_bytes: int) -> float | None:
        """When something sent now is there; None if TCP gives up over it."""
        self.carried_bytes[way] += size_bytes + PACKET_BYTES
        begin = now = self._loop.time()
        if self.rate_bytes_s:
            begin = max(now, self._free_at[way]) + (size_bytes + PACKET_BYTES) / self.rate_bytes_s
            self._free_at[way] = begin
        late_s, again_s = 0.0, _RETRANSMIT_S
        if self.loss:
            for _ in range(_RETRIES_MAX):
                if self._chance.random() >= self.loss:
                    break
                late_s, again_s = late_s + again_s, min(again_s * 2, _RETRANSMIT_S_MAX)
            else:
                return None
        return begin + late_s + (self.delay_ms + self._chance.random() * self.jitter_ms) / 1000

    def open(self, port: str, torn: Callable[[], None]) -> Wire:
        """A connection over this line; `torn` is told when it ends without anybody's will."""
        wire = Wire(self, port, torn)
        self._wires.append(wire)
        return wire

    def close(self, wire: Wire) -> None:
        """It is over."""
        if wire in self._wires:
            self._wires.remove(wire)
            self.unwatch(wire.look)

    async def reach(self, port: str, *, timeout_s: float) -> None:
        """Makes a connection: there and back.

        Raises:
            OSError: there is no way, and the device is told so.
            TimeoutError: nobody answers.
        """
        until = self._loop.time() + timeout_s
        for again_s in (0.0, *_SYN_S):
            begin_s = until - timeout_s + again_s
            if begin_s >= until:
                break
            await asyncio.sleep(max(0.0, begin_s - self._loop.time()))
            if self.known_down(port):
                await asyncio.sleep(0.2)
                raise OSError("there is no network")
            if self.passes(port=port) or self.portal(port):
                await asyncio.sleep((self.delay_ms * 2 + self._chance.random() * self.jitter_ms) / 1000)
                return
        await asyncio.sleep(max(0.0, until - self._loop.time()))
        raise TimeoutError("nobody answers")


class Wire:
    """One TCP connection: what is sent arrives in order, late when it must, or never because the wire has ended.

    Attributes:
        portal: it leads to somebody else.
    """

    def __init__(self, line: Line, port: str, torn: Callable[[], None]) -> None:
        self._line, self.torn, self.port, self.portal = line, torn, port, line.portal(port)
        self._loop, self._outside = asyncio.get_running_loop(), line.outside
        self._ways: dict[Way, deque[tuple[float, Callable[[], None]]]] = {"up": deque(), "down": deque()}
        self._stalled: dict[Way, float] = {}
        self.open = True

    def send(self, way: Way, arrive: Callable[[], None], size_bytes: int = 0) -> None:
        """Brings something over, behind all that was sent the same way before."""
        if not self.open:
            return
        at, queue = self._line.arrival(way, size_bytes), self._ways[way]
        if at is None:
            self.tear()
            return
        queue.append((max(at, queue[-1][0]) if queue else at, arrive))
        if len(queue) == 1:
            self._loop.call_at(queue[0][0], self._arrive, way, context=self._outside)

    def _arrive(self, way: Way) -> None:
        if not self.open or way in self._stalled:
            return
        if not self._line.passes(way, port=self.port, portal=self.portal):
            if not self._stalled:
                self._line.watch(self.look)
            self._stalled[way] = self._loop.time()
            return
        queue = self._ways[way]
        _, arrive = queue.popleft()
        if queue:
            at = max(queue[0][0], self._loop.time())
            self._loop.call_at(at, self._arrive, way, context=self._outside)
        arrive()

    def look(self) -> None:
        """The line has changed: what TCP kept is sent again, the later the longer it has been silent."""
        for way in BOTH:
            if way in self._stalled and self._line.passes(way, port=self.port, portal=self.portal):
                silent_s = self._loop.time() - self._stalled.pop(way)
                wait_s = min(max(_RETRANSMIT_S, silent_s), _RETRANSMIT_S_MAX) * self._line.draw()
                self._loop.call_later(wait_s, self._arrive, way, context=self._outside)
        if not self._stalled:
            self._line.unwatch(self.look)

    def tear(self) -> None:
        """Both ends learn that it is over."""
        if self.open:
            self.close()
            self.torn()

    def close(self) -> None:
        """Nothing comes any more; nobody is told."""
        self.open = False
        self._line.close(self)
