"""The device under attack: the real agent with the real engine on a simulated board, and an ear below its horn.

Everything runs in virtual time, so minutes of samples are rendered and judged. Its disk is read from outside.
"""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from edge.app import run_agent
from edge.config import AgentConfig
from edge.core.state import AgentState
from protocol import codec
from simulators.air import Air, Programmes
from simulators.board import SimBoard
from simulators.horn import Heard
from simulators.listening import find, first_sound_ms
from simulators.loop_clock import LoopClock
from simulators.player import PyAvPlayer
from simulators.tone_voice import ToneVoice
from tests.attacks.offices import ANCHOR, PLACE

DEVICE: Final = "d-31498-07"
CORRELATION_MIN: Final = 0.7
KEPT_S: Final = 120
_LISTENED_S: Final = 60
_ENOUGH_BYTES: Final = 72_000
_LIFE_OF_A_DAY: Final = ("guard_version", "progress", "floor")
"""Registers that move by themselves: as programmes play, true documents come in, the guardian gets its plan anew."""


@dataclass(frozen=True, slots=True)
class OnDisk:
    """What would survive a power cut: registers, and digests of the signed documents by key."""

    registers: dict[str, Any]
    documents: dict[str, str]

    def without_heads(self) -> OnDisk:
        """A fresh head is allowed to come in: it makes nothing play."""
        kept = {name: one for name, one in self.documents.items() if not name.startswith("head/")}
        return replace(self, documents=kept)


class Loudspeaker:
    """One device; `start` and `cut_power` as often as needed.

    Attributes:
        state: what the agent knew last.
        own, foreign: what the signed station broadcasts, and what a pirate does.
        root: the root it was enrolled with; empty: the anchor is all there is.
    """

    def __init__(self, directory: Path, clock: LoopClock, *, own: bytes, foreign: bytes) -> None:
        self.clock, self.directory = clock, directory
        self.own, self.foreign = own, foreign
        self.slot = directory / "stick" / "mounted"
        self.data = directory / "device"
        self.air = Air(Programmes((own, own), foreign))
        self.board = SimBoard(clock, ether=self.air.ether, keep_s=KEPT_S)
        self.state: AgentState | None = None
        self.root = b""
        self._agent: asyncio.Task[None] | None = None
        self._changed = asyncio.Condition()
        self._notifying: set[asyncio.Task[None]] = set()

    async def start(self, *, http_port: int, mqtt_port: int) -> None:
        """Switches it on."""
        self.slot.parent.mkdir(parents=True, exist_ok=True)
        (self.directory / "anchor.json").write_bytes(codec.encode(ANCHOR))
        if self.root:
            (self.directory / "root.json").write_bytes(self.root)
        self.board.set_computer(True)
        config = AgentConfig(
            device=DEVICE,
            place=PLACE,
            controller_url=f"http://127.0.0.1:{http_port}",
            mqtt_host="127.0.0.1",
            mqtt_port=mqtt_port,
            token="secret",
            anchor=str(self.directory / "anchor.json"),
            root=str(self.directory / "root.json") if self.root else "",
            data=str(self.data),
            heartbeat_ms=2000,
            keepalive_s=30,
            media_reserve_mb=0,
            usb=str(self.slot),
            system_clock=False,
        )
        agent = run_agent(
            config, self.board, PyAvPlayer(), voice=ToneVoice(), clock=self.clock, observe=self._observe
        )
        self._agent = asyncio.create_task(agent, name=DEVICE)
        await self.wait_state(lambda _: True)

    async def cut_power(self, *, off_s: float = 2.0) -> None:
        """Ends everything without a farewell; time goes on."""
        assert self._agent is not None, "it was switched on"
        agent, self._agent = self._agent, None
        self.board.set_computer(False)
        agent.cancel()
        await asyncio.wait([agent])
        self.state = None
        await asyncio.sleep(off_s)

    async def close(self) -> None:
        """At the end of a test: an agent that died by itself is an error of its own."""
        agent = self._agent
        assert agent is None or not agent.done(), "the agent ended under the attack"
        if agent is not None:
            await self.cut_power(off_s=0)

    def _observe(self, state: AgentState) -> None:
        self.state = state
        task = asyncio.ensure_future(self._notify())
        self._notifying.add(task)
        task.add_done_callback(self._notifying.discard)

    async def _notify(self) -> None:
        async with self._changed:
            self._changed.notify_all()

    async def wait_state(self, holds: Callable[[AgentState], bool], *, within_s: float = 60.0) -> AgentState:
        """The first state that fulfils a condition. Raises TimeoutError."""
        async with asyncio.timeout(within_s), self._changed:
            await self._changed.wait_for(lambda: self.state is not None and holds(self.state))
        assert self.state is not None, "a state fulfilled the condition"
        return self.state

    def on_disk(self) -> OnDisk:
        """What is persisted now, read beside the agent."""
        with closing(sqlite3.connect(f"file:{self.data}/state.db?mode=ro", uri=True)) as connection:
            row = connection.execute("SELECT data FROM registers").fetchone()
            documents = dict(connection.execute("SELECT key, digest FROM documents").fetchall())
        registers = json.loads(row[0]) if row else {}
        for name in _LIFE_OF_A_DAY:
            registers.pop(name, None)
        return OnDisk(registers, documents)

    # The ear.

    def heard(self, begin_ms: float, end_ms: float | None = None) -> Heard:
        """Samples between two wall times."""
        return self.board.horn.heard(begin_ms, end_ms)

    async def silent_for(self, seconds: float, *, since_ms: float | None = None) -> None:
        """Lets time pass; not one sample may differ from nothing."""
        begin = self.clock.now().wall if since_ms is None else since_ms
        end = self.clock.now().wall + seconds * 1000
        while self.clock.now().wall < end:
            await asyncio.sleep(min(_LISTENED_S, (end - self.clock.now().wall) / 1000))
            heard = self.heard(begin)
            first = first_sound_ms(heard)
            assert first is None, f"something was heard at {first}, {first - begin:.0f} ms after the last silence"
            assert heard.began_ms - begin < 100, "the horn does not remember that long"
            begin = heard.ended_ms

    def correlation(self, reference: bytes, begin_ms: float) -> float:
        """How well a sound is found in what was heard since then; three quarters of a second are enough."""
        reference = reference[:_ENOUGH_BYTES]
        heard = self.heard(begin_ms)
        return find(reference, heard.samples).correlation if len(heard.samples) >= len(reference) else 0.0

    async def until_heard(self, reference: bytes, begin_ms: float, *, within_s: float) -> None:
        """Waits until a sound has been heard; AssertionError when it has not."""
        best = 0.0
        for _ in range(int(within_s)):
            await asyncio.sleep(1)
            best = max(best, self.correlation(reference, begin_ms))
            if best >= CORRELATION_MIN:
                return
        raise AssertionError(f"it was not heard; the best correlation is {best:.2f}")

    def plays(self, reference: bytes, begin_ms: float) -> None:
        """A sound was heard at its place, within a tenth of a second. Raises AssertionError."""
        heard = self.heard(begin_ms - 100, begin_ms + len(reference) / 96 + 100)
        found = find(reference, heard.samples)
        assert found.correlation >= CORRELATION_MIN, f"it was not heard; correlation {found.correlation:.2f}"

    async def until_quiet(self, *, within_s: float = 20.0) -> None:
        """Waits until the amplifier has been off for a second."""
        async with asyncio.timeout(within_s):
            while first_sound_ms(self.heard(self.clock.now().wall - 1000)) is not None:
                await asyncio.sleep(0.2)
