"""Puts a province together, lets its plan happen, and has it judged."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial

from edge.chance import CHANCE
from edge.core.state import Identity
from protocol.clock import WallMs
from protocol.units import UnitPath
from simulators.world.air import STATIONS, Air
from simulators.world.broker import Broker
from simulators.world.chance import Chance
from simulators.world.checkers import CHECKERS
from simulators.world.checkers.checker import Violation
from simulators.world.clock import true_wall
from simulators.world.controller import WorldController
from simulators.world.device import WorldDevice
from simulators.world.faults import KINDS
from simulators.world.line import Line
from simulators.world.loop import START_S, WorldLoop, new_loop
from simulators.world.office import Offices, unit_of
from simulators.world.once_verified import verified_once
from simulators.world.paths import Front
from simulators.world.people import People
from simulators.world.plan import Happening, Plan, Shape, draw_plan
from simulators.world.trace import Trace


@dataclass
class World:
    """Everything; made inside its loop."""

    shape: Shape
    devices: dict[str, WorldDevice] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._loop = loop = asyncio.get_running_loop()
        self.chance = Chance(self.shape.seed)
        CHANCE.set(self.chance.stream("outside"))
        self.trace = Trace(lambda: true_wall(loop.time()))
        self.broker = Broker(inside=self.chance.stream("broker").random() < 0.5)
        self.air = Air(STATIONS)
        self.offices = Offices(self.chance)
        self.controller = WorldController(
            self.offices,
            broker=self.broker,
            trace=self.trace,
            wall=lambda: true_wall(loop.time()),
            chance=self.chance,
            heartbeat_ms=self.shape.heartbeat_ms,
        )
        self.front = Front(self, self.controller)
        self.people = People(self)
        for name in names_of(self.shape):
            self._add(name)

    def _add(self, name: str) -> None:
        place = UnitPath(f"{unit_of(name)}/{name}")
        identity = Identity(name, place, self.offices.anchor, heartbeat_ms=self.shape.heartbeat_ms)
        line = Line(self.chance.stream(f"{name}/line"))
        device = WorldDevice(identity, self.chance, self.trace, self.broker, self.front, line, self.air)
        self.devices[name] = device
        self.controller.enrol(name, place)

    def trace_wall(self) -> WallMs:
        """True wall time."""
        return true_wall(self._loop.time())

    @property
    def communes(self) -> tuple[UnitPath, ...]:
        """All of them."""
        return tuple(dict.fromkeys(one.identity.home for one in self.devices.values()))

    def later(self, in_ms: int, act: Callable[[], None]) -> None:
        """Something is done after a while."""
        self._loop.call_later(in_ms / 1000, act)


def device_name(number: int) -> str:
    """The id of a device by its number."""
    return f"d{number:05}"


def names_of(shape: Shape) -> tuple[str, ...]:
    """The devices of a world."""
    return shape.only or tuple(device_name(one) for one in range(shape.devices))


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a run ended.

    Attributes:
        trace: hash of all that happened.
        faults: how many were injected.
        counts: of each kind of record.
    """

    violations: tuple[Violation, ...]
    trace: str
    faults: int
    counts: Mapping[str, int]


class _ErrorEar(logging.Handler):
    """An exception that somebody caught and logged is a mistake all the same: in the agent, or in this world."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.tell: Callable[[str], None] = lambda _: None

    def emit(self, record: logging.LogRecord) -> None:
        if record.exc_info is not None:  # an error without one is a duty, such as that a document was never logged
            self.tell(f"{record.getMessage()}: {record.exc_info[1]!r}"[:300])


class Run:
    """One run of one plan in a loop of its own.

    Args:
        watch: is shown the world before anything happens in it.
        violations_max: after so many the world ends.
        verify_each: a signature is verified anew each time that it is looked at.
    """

    def __init__(
        self,
        plan: Plan,
        *,
        watch: Callable[[World], None] = lambda _: None,
        violations_max: int = 20,
        verify_each: bool = False,
    ) -> None:
        self._verify_each = verify_each
        self._plan = plan
        self._watch = watch
        self._violations_max = violations_max
        self._enough = asyncio.Event()
        self._absent = frozenset(device_name(one) for one in range(plan.shape.devices))
        self._faults = 0
        self.violations: list[Violation] = []

    def __call__(self) -> Outcome:
        loop = new_loop()
        ear = _ErrorEar()
        logging.getLogger().addHandler(ear)
        try:
            with verified_once(each=self._verify_each):
                world: World = loop.run_until_complete(self._live(loop, ear))
        finally:
            logging.getLogger().removeHandler(ear)
            loop.close()
        return Outcome(tuple(self.violations), world.trace.digest(), self._faults, dict(world.trace.counts))

    async def _live(self, loop: WorldLoop, ear: _ErrorEar) -> World:
        world = World(self._plan.shape)
        ear.tell = partial(self._tell, world, "somebody", "no_error")
        checkers = [make(world, partial(self._tell, world)) for make in CHECKERS]
        for checker in checkers:
            world.trace.listen(checker.take)
        self._watch(world)
        world.people.furnish()
        running = loop.create_task(world.controller.run())
        for device in world.devices.values():
            device.power_on()
        for happening in self._plan.happenings:
            loop.call_at(START_S + happening.at_ms / 1000, self._let_happen, world, happening)
        if await self._lasted(self._plan.shape.end_ms / 1000):
            for checker in checkers:
                checker.end()
        world.trace.close()
        for device in world.devices.values():
            device.power_off()
        running.cancel()
        others = asyncio.all_tasks(loop) - {asyncio.current_task(loop)}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        return world

    async def _lasted(self, duration_s: float) -> bool:
        """False when enough was found before."""
        try:
            async with asyncio.timeout(duration_s):
                await self._enough.wait()
        except TimeoutError:
            return True
        return False

    def _let_happen(self, world: World, happening: Happening) -> None:
        if happening.who not in world.devices and happening.who in self._absent:
            return
        kind = KINDS[happening.what]
        self._faults += kind.fault
        world.trace.tell(happening.who, happening.what, f"{happening.number} {happening.words}", happening)
        kind.apply(world, happening)

    def _tell(self, world: World, who: str, rule: str, words: str) -> None:
        found = Violation(world.trace_wall(), who, rule, words)
        self.violations.append(found)
        if len(self.violations) >= self._violations_max:
            self._enough.set()
        world.trace.tell(who, "violation", f"{rule}: {words}", found)


def plan_of(shape: Shape) -> Plan:
    """All that happens in a world of this shape."""
    return draw_plan(shape, KINDS, names_of(shape))


def run_world(seed: int, *, devices: int, days: float, heartbeat_ms: int = 300_000) -> Outcome:
    """Draws the plan of a seed and runs it."""
    return Run(plan_of(Shape(seed, devices, days, heartbeat_ms)))()
