"""One device of the world: the box on the pole with all that outlives a power cut, and a plug that can be pulled."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextvars import copy_context
from dataclasses import dataclass, field
from typing import Final

from edge.core.events import BoardPart, Event, PartJudged
from edge.core.state import AgentState, Identity
from edge.ports import CardLostError
from hardware.interfaces import LampStates
from protocol.clock import WallMs
from simulators.world.agent import Agent
from simulators.world.agent import Told as Told
from simulators.world.air import Air, Reception
from simulators.world.broker import Broker
from simulators.world.chance import Chance
from simulators.world.clock import DAWN, Chip, DeviceClock, true_wall
from simulators.world.disk import Card
from simulators.world.guardian import Relayed, WorldGuardian
from simulators.world.hindrance import Hindrances
from simulators.world.line import Line
from simulators.world.panel import WorldPanel
from simulators.world.sound_source import Defects, Flow
from simulators.world.speaker import Block, Heard, Speaker
from simulators.world.time_sources import Servers, TimeDaemon
from simulators.world.trace import Trace
from simulators.world.web import Web

_BOOT_S: Final = 4.0
_AGENT_START_S: Final = 1.5
_RESTART_S: Final = 1.0  # `RestartSec` of the service
WATCHDOG_S: Final = 12.0
"""`WatchdogSec` and, as a process that stands still cannot end itself, `TimeoutAbortSec`."""
_BUILT: Final = (WallMs(0), WallMs(DAWN - 200 * 86_400_000))
"""What a computer without a clock chip believes when it starts: 1970, or the day on which its image was made."""
_PART_S: Final = 30.0


@dataclass(slots=True)
class Computer:
    """What lives from one start to the next power cut.

    Attributes:
        agent: None while it boots, or starts anew.
        hung: the agent stands still.
    """

    clock: DeviceClock
    daemon: TimeDaemon
    agent: Agent | None = None
    hung: bool = False
    handles: list[asyncio.TimerHandle] = field(default_factory=list)


class WorldDevice:
    """The box on the pole.

    Attributes:
        card, chip, panel, speaker, defects, reception, guardian: its parts, which outlive a power cut.
        servers: what its time servers are like; `cell` what the cell tells minus the truth, None without a modem.
        hindrances: what keeps it from doing what it ought to, and is not the agent's doing.
        sick: parts that the board's own watch finds at fault.
        computer: None while the power is off.
        state: what the core knew last.
        lamps: how they shine.
    """

    def __init__(
        self,
        identity: Identity,
        chance: Chance,
        trace: Trace,
        broker: Broker,
        web: Web,
        line: Line,
        air: Air | None = None,
    ) -> None:
        self.identity, self.chance, self.trace = identity, chance, trace
        self.broker, self.web, self.line, self.air = broker, web, line, air or Air(())
        self._loop, self._context = asyncio.get_running_loop(), copy_context()
        self.hindrances = Hindrances(self.true_wall, lambda what, why: trace.tell(self.name, what, why))
        dice = chance.stream(f"{identity.device}/board")
        self.drift_ppm = dice.gauss(0, 8) if dice.random() < 0.9 else dice.uniform(-100, 100)
        self._without_chip = dice.choice(_BUILT)
        self.card, self.panel, self.servers, self.speaker = Card(), WorldPanel(), Servers(), Speaker(self._hear)
        self.defects = Defects(metered=dice.random() < 0.7)
        self.reception = Reception(loss_db=dice.randrange(0, 12))
        chip = Chip(round(dice.gauss(0, 500)), drift_ppm=dice.gauss(0, 2))
        self.chip = chip if dice.random() < 0.85 else None
        self.cell = round(dice.gauss(0, 900)) if dice.random() < 0.15 else None
        self.guardian: WorldGuardian | None = None
        if dice.random() < 0.2:
            self.guardian = WorldGuardian(
                self.speaker, self.air, self.reception, agreed_ms=self._agreed_ms, tell=self._tell_relayed
            )
        self.sick: dict[BoardPart, str] = {}
        self.computer: Computer | None = None
        self.state: AgentState | None = None
        self.lamps = LampStates()
        self.boots = self._starts = self._outages = 0
        self._dice = chance.stream(f"{identity.device}/boots")
        line.watch(self.look)
        self.air.listen(self.look)

    @property
    def name(self) -> str:
        """Its id."""
        return self.identity.device

    @property
    def agent(self) -> Agent | None:
        """The process that runs, if one does."""
        return self.computer.agent if self.computer is not None else None

    def power_on(self) -> None:
        """The computer starts; the agent is up after some seconds."""
        if self.computer is not None or self._outages:
            return
        self.boots += 1
        self.card.powered = True
        self.trace.tell(self.name, "power.on")
        if self.guardian is not None:
            self.guardian.power_on()
        clock = DeviceClock(drift_ppm=self.drift_ppm, wall_error_ms=self._believed_at_boot() - self.true_wall())
        daemon = TimeDaemon(
            clock,
            self.servers,
            drift_ppm=self.drift_ppm,
            reaches=lambda: self.line.passes(port="ntp"),
            told=self._took_hold,
            dice=self._dice,
        )
        self.computer = Computer(clock, daemon)
        self._later(self.computer, _BOOT_S, self._start)

    def power_off(self) -> None:
        """At once, in the middle of whatever it did."""
        computer = self.computer
        if computer is None:
            return
        self.trace.tell(self.name, "power.off")
        if self.guardian is not None:
            self.guardian.power_off()
        self._end_agent(computer, dark=True)
        self.computer = None
        for handle in computer.handles:
            handle.cancel()
        computer.daemon.close()
        lost = self.card.lose_power(self._loop.time(), self._dice)
        if lost:
            self.trace.tell(self.name, "letters.lost", str(len(lost)), lost)

    def cut(self, duration_ms: int) -> None:
        """The power is away for so long; of several cuts at once the last one counts."""
        self._outages += 1
        self.power_off()
        self._loop.call_later(duration_ms / 1000, self._restore, context=self._context)

    def _restore(self) -> None:
        self._outages -= 1
        self.power_on()

    def _believed_at_boot(self) -> WallMs:
        try:
            told_ms = None if self.chip is None else self.chip.told_ms()
        except CardLostError:
            told_ms = None
        return self._without_chip if told_ms is None else WallMs(told_ms)

    def true_wall(self) -> WallMs:
        """Whatever its own clocks say."""
        return true_wall(self._loop.time())

    # The agent.

    def _start(self) -> None:
        computer = self.computer
        assert computer is not None, "it was given up with its computer"
        self._starts += 1
        self.trace.tell(self.name, "agent.started")
        computer.agent = Agent(self, computer.clock, computer.daemon, number=self._starts)
        if self.guardian is not None:
            self.guardian.live(True)
        for part, found in sorted(self.sick.items()):
            self._later(computer, _PART_S, self._judge, part, found)

    def crash(self) -> None:
        """The agent dies; the service manager starts it anew."""
        computer = self.computer
        if computer is not None and computer.agent is not None:
            self.trace.tell(self.name, "agent.ended")
            self._end_agent(computer, dark=False)
            self._later(computer, _RESTART_S + _AGENT_START_S, self._start)

    def _end_agent(self, computer: Computer, *, dark: bool) -> None:
        agent, computer.agent = computer.agent, None
        if agent is None:
            return
        if self.guardian is not None:
            self.guardian.live(False)
        agent.end(dark=dark)
        if computer.hung:
            computer.hung = False
            self.hindrances.put("hung", False)

    def hang(self, duration_ms: int) -> None:
        """The agent stands still for a while, or until its watchdog has it killed."""
        computer = self.computer
        if computer is None or computer.agent is None or computer.hung:
            return
        computer.hung = True
        self.hindrances.put("hung", True)
        if self.guardian is not None:
            self.guardian.live(False)
        computer.agent.hang(True)
        given_up = duration_ms >= WATCHDOG_S * 1000
        self._later(computer, min(WATCHDOG_S, duration_ms / 1000), self.crash if given_up else self._go_on)

    def _go_on(self) -> None:
        computer = self.computer
        if computer is not None and computer.agent is not None and computer.hung:
            computer.hung = False
            if self.guardian is not None:
                self.guardian.live(True)
            computer.agent.hang(False)
            self.hindrances.put("hung", False)

    def _later(self, computer: Computer, in_s: float, act: Callable[..., None], *args: object) -> None:
        """Unless the power goes before."""
        handle = self._loop.call_later(in_s, act, *args, context=self._context)
        computer.handles = [one for one in computer.handles if one.when() > self._loop.time()] + [handle]

    def hand(self, event: Event) -> None:
        """Something comes in at the device itself, at its slot; in vain while no agent is there."""
        if self.agent is not None:
            self.agent.slot.put(event)

    # What is wrong with it.

    def block(self, what: Block, on: bool) -> None:
        """Something comes between sound path and ear, or goes away again."""
        if on is not (what in self.speaker.blocks):
            self.look()
            self.hindrances.put(what.value, on)
            self.speaker.block(what, on)
            self.look()

    def sicken(self, part: BoardPart, found: str) -> None:
        """A part falls ill, or is well again when nothing is found; the board's watch tells it a little later."""
        if found:
            self.sick[part] = found
        else:
            self.sick.pop(part, None)
        if self.computer is not None:
            self._later(self.computer, _PART_S, self._judge, part, found)

    def _judge(self, part: BoardPart, found: str) -> None:
        if self.agent is not None and self.sick.get(part, "") == found:
            self.agent.parts.put(PartJudged(part, not found, found))

    def cell_ms(self) -> int | None:
        """What the cell tells minus the truth, while it is reached."""
        return self.cell if self.line.passes() else None

    def flow(self, address: str) -> Flow:
        """How a web radio answers here."""
        if not self.line.passes(port="https"):
            return Flow.STALLED
        return self.air.flow(address)

    # What it tells.

    def look(self) -> None:
        """Something about its sound path has changed."""
        if self.agent is not None:
            self.agent.horn.look()

    def _took_hold(self) -> None:
        if self.agent is not None:
            self.agent.sources.took_hold()

    def _agreed_ms(self) -> int | None:
        return self.agent.agreed_ms() if self.agent is not None else None

    def show(self, states: LampStates) -> None:
        """See `hardware.interfaces.Lamps`."""
        self.lamps = states

    def _hear(self, heard: Heard) -> None:
        what = "sound.began" if heard.reason is None else "sound.ended"
        self.trace.tell(self.name, what, f"{heard.output.key} {heard.reason or ''}", heard)

    def _tell_relayed(self, relayed: Relayed) -> None:
        self.hindrances.put("relay", relayed.source != "computer")
        self.trace.tell(self.name, f"relay.{relayed.source}", f"{relayed.frequency_khz} {relayed.pi}", relayed)
