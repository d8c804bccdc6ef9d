"""The supervising microcontroller with the decisions of its firmware, awake only when something may change.

Stands for `hardware/guardian` on its RP2040, between card and amplifier: the relay that lets the computer, its own
tuner or nothing through belongs to it. The proofs of life come twice a second; while they come and are trusted,
nothing can change, so here they are put in when somebody looks. `simulators/guardian.py` is the same with samples.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextvars import copy_context
from dataclasses import dataclass
from typing import Final

from edge.ports import CardLostError
from hardware.guardian.guard import Guard
from hardware.guardian.message import COMPUTER, FM, SILENCE, SOURCES, WISH_AMPLIFIER
from hardware.guardian.plan import Plan, packed, plan_of, too_far
from hardware.guardian.relay import Relay
from hardware.guardian.wall_clock import WallClock
from hardware.guardian_plan import guarded
from hardware.interfaces import GuardianState, GuardPlan
from simulators.world.air import NOISE_DBUV, Air, Reception
from simulators.world.speaker import Block, Speaker

BEAT_MS: Final = 500
_READING_MS: Final = 500
_STEP_MS: Final = 10
_CALM_MS: Final = 60_000
_RDS_DBUV: Final = 22
_RDS_WAIT_MS: Final = 800


@dataclass(frozen=True, slots=True)
class Relayed:
    """What its relay lets through from now on: what a person below the horn hears of it.

    Attributes:
        source: `computer`, `fm` or `silence`.
        frequency_khz: of its own tuner; 0 if it does not sound.
        pi: whose station that truly is.
        wall_ms: the hour that it believes, None for none.
    """

    source: str
    frequency_khz: int = 0
    pi: str | None = None
    wall_ms: int | None = None


class WorldGuardian:
    """Implements `hardware.interfaces.Guardian`; it outlives every computer, and dies with the mains.

    Args:
        agreed_ms: the hour as the agent tells it in its beats; None while it believes none, or there is no agent.
        tell: told when the relay has moved.

    Attributes:
        broken: it does nothing and its relays have fallen.
        cut_off: nothing goes over the line to the computer.
    """

    def __init__(
        self,
        speaker: Speaker,
        air: Air,
        reception: Reception,
        *,
        agreed_ms: Callable[[], int | None],
        tell: Callable[[Relayed], None],
    ) -> None:
        self._speaker, self._air, self._reception = speaker, air, reception
        self._agreed_ms, self._tell = agreed_ms, tell
        self._loop = asyncio.get_running_loop()
        self._context = copy_context()
        self.broken = self.cut_off = self._mains = self._beating = False
        self._plan: Plan | None = None
        self._floor_ms = self._boots = 0
        self._khz: int | None = None
        self._tuned_ms = self._read_ms = 0
        self._relayed = Relayed(SOURCES[SILENCE])
        self._handle: asyncio.TimerHandle | None = None
        self._guard, self._relay = Guard(0), Relay()
        speaker.block(Block.RELAY, True)

    # Its power.

    @property
    def _powered(self) -> bool:
        return self._mains and not self.broken

    def power_on(self) -> None:
        """It starts; what it was armed with outlasts that."""
        self._mains = True
        if self._powered:
            self._boots += 1
            self._guard = Guard(self._now(), has_tuner=True, clock=WallClock(self._floor_ms))
            self._guard.arm(self._plan)
            self._relay = Relay()
            self._turn()

    def power_off(self) -> None:
        """Both relays fall."""
        self._mains = self._beating = False
        self._fall()

    def fail(self, broken: bool) -> None:
        """It dies, or is given power again."""
        self.broken = broken
        if broken:
            self._fall()
        elif self._mains:
            self.power_on()

    def _fall(self) -> None:
        if self._handle is not None:
            self._handle.cancel()
        self._relay = Relay()
        self._show()

    # The agent's life.

    def live(self, alive: bool) -> None:
        """The agent proves twice a second that it lives, or no more."""
        self._change(alive, self.cut_off)

    def pull(self, cut_off: bool) -> None:
        """The cable to the computer is pulled, or plugged in again."""
        self._change(self._beating, cut_off)

    def _change(self, beating: bool, cut_off: bool) -> None:
        """The last beat that came lies up to half a second back."""
        heard, hears = self._beating and not self.cut_off, beating and not cut_off
        if heard and not hears and self._powered:
            self._guard.beat(self._now() - self._now() % BEAT_MS, WISH_AMPLIFIER, self._agreed_ms())
        self._beating, self.cut_off = beating, cut_off
        if self._powered:
            self._turn()

    # What the computer asks.

    async def beat(self, wall_ms: int | None) -> None:
        """See `hardware.interfaces.Guardian`."""
        self._check()
        self._guard.beat(self._now(), WISH_AMPLIFIER, wall_ms)
        self._turn()

    async def arm(self, plan: GuardPlan) -> None:
        """See `hardware.interfaces.Guardian`."""
        self._check()
        held, new = self._plan, plan_of(packed(guarded(plan)))
        wall_ms = self._guard.clock.wall_ms(self._now())
        if new is None or too_far(new, wall_ms):
            raise CardLostError("the guardian refuses: unreadable")
        if held is not None and packed(held) == packed(new):
            return
        if held is not None and new.version <= held.version:
            raise CardLostError("the guardian refuses: an older plan than the one it holds")
        self._plan = new
        self._floor_ms = self._guard.clock.floor_ms = max(wall_ms or 0, self._floor_ms)
        self._guard.arm(new)
        self._turn()

    def state(self) -> GuardianState | None:
        """See `hardware.interfaces.Guardian`."""
        if self.cut_off or not self._powered:
            return None
        refused = self._guard.clock.refused
        return GuardianState(SOURCES[self._guard.source], self._guard.plan_version, self._boots, "power", refused)

    @property
    def plan(self) -> Plan | None:
        """What it holds; for whoever judges it."""
        return self._plan

    # Its own life.

    def _check(self) -> None:
        if self.cut_off or not self._powered:
            raise CardLostError("the guardian is not there")

    def _now(self) -> int:
        return round(self._loop.time() * 1000)

    def _turn(self) -> None:
        now_ms = self._now()
        beats = self._beating and not self.cut_off
        if beats:
            if self._guard.trusted and self._guard.silent_ms(now_ms) > BEAT_MS:
                self._guard.beat(now_ms - BEAT_MS, WISH_AMPLIFIER, None)
            if self._guard.trusted or self._guard.silent_ms(now_ms) >= BEAT_MS:
                self._guard.beat(now_ms, WISH_AMPLIFIER, self._agreed_ms())
        self._listen(now_ms)
        self._guard.turn(now_ms)
        self._relay.turn(now_ms, self._guard.source)
        self._show()
        if self._handle is not None:
            self._handle.cancel()
        next_s = self._next_ms(now_ms, beats) / 1000
        self._handle = self._loop.call_at(next_s, self._turn, context=self._context)

    def _next_ms(self, now_ms: int, beats: bool) -> int:
        if self._relay.through != self._guard.source or self._guard.tune_khz != self._khz:
            return now_ms + _STEP_MS
        if beats:
            return now_ms + (_CALM_MS if self._guard.trusted else BEAT_MS)
        return max(now_ms + 1, self._guard.next_look(now_ms))

    def _listen(self, now_ms: int) -> None:
        if self._guard.tune_khz != self._khz:
            self._khz, self._tuned_ms = self._guard.tune_khz, now_ms
        if self._khz is None or now_ms - self._read_ms < _READING_MS:
            return
        self._read_ms = now_ms
        station = self._air.station(self._reception, self._khz)
        rssi_dbuv = NOISE_DBUV if station is None else station.rssi_dbuv - self._reception.loss_db
        rssi_dbuv = max(NOISE_DBUV, rssi_dbuv - self._reception.fade_db)
        named = station is not None and station.pi is not None and rssi_dbuv >= _RDS_DBUV
        readable = named and self._khz not in self._reception.nameless and now_ms - self._tuned_ms >= _RDS_WAIT_MS
        pi = int(station.pi, 16) if readable and station is not None and station.pi is not None else None
        self._guard.reading(now_ms, self._khz, rssi_dbuv, pi)

    def _show(self) -> None:
        through = self._relay.through if self._powered else SILENCE
        relayed = Relayed(SOURCES[through])
        if through == FM and self._khz is not None and self._guard.amplifier:
            station = self._air.station(self._reception, self._khz)
            wall_ms = self._guard.clock.wall_ms(self._now())
            relayed = Relayed(SOURCES[FM], self._khz, None if station is None else station.pi, wall_ms)
        former, self._relayed = self._relayed, relayed
        self._speaker.block(Block.RELAY, through != COMPUTER)
        if (former.source, former.frequency_khz) != (relayed.source, relayed.frequency_khz):
            self._tell(relayed)
