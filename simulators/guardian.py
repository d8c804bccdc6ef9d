"""A guardian with the decisions of the firmware itself, but no wire and no interpreter: cheap enough for a village.

It looks again only when something may change, so a living computer costs one turn for each beat.
"""

from __future__ import annotations

import asyncio
from typing import Final

from hardware.errors import CardLostError
from hardware.guardian.guard import Guard
from hardware.guardian.message import CAUSES, SOURCES, WISH_AMPLIFIER
from hardware.guardian.plan import Plan, packed, plan_of, too_far
from hardware.guardian.relay import Relay
from hardware.guardian.wall_clock import WallClock
from hardware.guardian_plan import guarded
from hardware.interfaces import GuardianState, GuardPlan
from simulators.amplifier import SimAmplifier
from simulators.fm_station import NOISE_RSSI_DBUV, SimEther, SimStation, received
from simulators.guardian_horn import GuardedHorn, Through
from simulators.loop_clock import LoopClock

READING_MS: Final = 500
_STEP_MS: Final = 10
_RDS_RSSI_DBUV: Final = 22
_RDS_WAIT_MS: Final = 800


class SimGuardian:
    """Implements `hardware.interfaces.Guardian`, with its relay before a horn and its amplifier line.

    Args:
        ether: what its tuner receives; None for the variant without one.
        keep_s: how far back the horn can be asked.

    Attributes:
        horn: what is heard behind the relay; a card writes to it.
        line: the amplifier's enable line.
        through: what the relay lets through.
        broken: it does not answer and does nothing; its relay has fallen.
        cut_off: nothing goes over the line between computer and guardian; it goes on by its own rules.
        resets: cause of each start.
    """

    def __init__(self, clock: LoopClock, *, ether: SimEther | None = None, keep_s: int = 120) -> None:
        self._clock = clock
        self._ether = ether
        self.horn = GuardedHorn(clock, self._fm_frame, keep_s=keep_s)
        self.line = SimAmplifier(clock, self.horn)
        self.through = Through.SILENCE
        self.broken = False
        self.cut_off = False
        self.resets: list[str] = []
        self._plan: Plan | None = None
        self._floor_ms = 0
        self._wishes = 0
        self._received: tuple[SimStation | None, float] = (None, 0.0)
        self._khz: int | None = None
        self._amplified = False
        self._read_ms = 0
        self._told_ms: int | None = None
        self._handle: asyncio.TimerHandle | None = None
        self.restart("power")

    def restart(self, cause: str) -> None:
        """It starts anew: `power`, `watchdog` or `soft`; the plan it holds outlasts that."""
        self.resets.append(cause)
        now_ms = self._now()
        self._guard = Guard(now_ms, has_tuner=self._ether is not None, clock=WallClock(self._floor_ms))
        self._guard.arm(self._plan)
        self._relay = Relay()
        self._told_ms = None
        self._show()
        self._look_at(now_ms + _STEP_MS)

    def fail(self, broken: bool) -> None:
        """It dies, or is given power again."""
        self.broken = broken
        if self._handle is not None:
            self._handle.cancel()
        if broken:
            self._show()
        else:
            self.restart("power")

    def amplifier(self) -> GuardedAmplifier:
        """The enable line as the computer sees it."""
        return GuardedAmplifier(self)

    # What the computer asks.

    async def beat(self, wall_ms: int | None) -> None:
        """See `hardware.interfaces.Guardian`."""
        self._check()
        self._guard.beat(self._now(), self._wishes, wall_ms)
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
        if self.broken or self.cut_off or self._told_ms is None:
            return None
        guard = self._guard
        return GuardianState(
            SOURCES[guard.source],
            guard.plan_version,
            len(self.resets),
            self.resets[-1] if self.resets[-1] in CAUSES else "soft",
            clock_refused=guard.clock.refused,
        )

    def wish_amplifier(self, on: bool) -> None:
        """The computer's wish; part of every beat as well."""
        self._wishes = WISH_AMPLIFIER if on else 0
        if not (self.broken or self.cut_off):
            self._guard.wish(self._wishes)
            self._turn()

    # Its own life.

    def _check(self) -> None:
        if self.broken or self.cut_off:
            raise CardLostError("the guardian is not there")

    def _now(self) -> int:
        return int(self._clock.exact_mono_ms())

    def _look_at(self, at_ms: int) -> None:
        if self._handle is not None:
            self._handle.cancel()
        self._handle = asyncio.get_running_loop().call_at(at_ms / 1000, self._turn, False)

    def _turn(self, told: bool = True) -> None:
        now_ms = self._now()
        if self.broken:
            return
        if told:
            self._told_ms = now_ms
        self._tune(now_ms)
        self._guard.turn(now_ms)
        self._relay.turn(now_ms, self._guard.source)
        self._show()
        moving = self._relay.through != self._guard.source or self._guard.tune_khz != self._khz
        self._look_at(now_ms + _STEP_MS if moving else max(now_ms + 1, self._guard.next_look(now_ms)))

    def _tune(self, now_ms: int) -> None:
        """The tuner follows at once, and reads twice a second."""
        if self._guard.tune_khz != self._khz:
            self.horn.keep_up()
            self._khz = self._guard.tune_khz
            self._received = (None, now_ms)
        if self._khz is None or self._ether is None or now_ms - self._read_ms < READING_MS:
            return
        self._read_ms = now_ms
        station = self._ether.strongest(self._khz)
        if station is not self._received[0]:
            self._received = (station, now_ms)
        rssi_dbuv = NOISE_RSSI_DBUV if station is None else station.rssi_dbuv
        self._guard.reading(now_ms, self._khz, rssi_dbuv, self._identity(now_ms))

    def _identity(self, now_ms: int) -> int | None:
        station, since_ms = self._received
        if station is None or station.pi is None or station.rssi_dbuv < _RDS_RSSI_DBUV:
            return None
        return int(station.pi, 16) if now_ms - since_ms >= _RDS_WAIT_MS else None

    def _show(self) -> None:
        """The lines as they stand now, or at rest while it is broken."""
        through = Through(SOURCES[self._relay.through]) if not self.broken else Through.SILENCE
        if through is not self.through:
            self.horn.let_through(self._clock.exact_mono_ms(), through)
            self.through = through
        elif through is Through.FM:
            self.horn.keep_up()
        on = self._guard.amplifier and not self.broken
        if on is not self._amplified:
            self._amplified = on
            self.line.drive(on)

    def _fm_frame(self, mono_ms: float) -> bytes:
        assert self._ether is not None, "without a tuner FM never opens"
        return received(self._ether, self._khz or 0, mono_ms)


class GuardedAmplifier:
    """Implements `edge.ports.Amplifier`: the line is the guardian's, the computer only wishes."""

    def __init__(self, guardian: SimGuardian) -> None:
        self._guardian = guardian

    async def switch(self, on: bool) -> None:
        """See `edge.ports.Amplifier`."""
        self._guardian.wish_amplifier(on)
