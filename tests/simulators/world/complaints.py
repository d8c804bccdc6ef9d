"""Three worlds in which many complaints come true at once: each loudspeaker has a trouble of its own.

Those beside it hear the same programme without a trouble, and one world serves a dozen tests.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cache
from typing import Final

from controller.devices.clone import CloneSign
from controller.devices.domain import Reach
from edge.core.output import Output, ProgrammeOutput
from protocol.report import AsRun, Fault, FaultCode, Status
from protocol.units import UnitPath
from simulators.world.clock import DAWN
from simulators.world.plan import Happening
from simulators.world.speaker import Block
from simulators.world.world import World
from tests.simulators.world.play import DEVICE, HOUR_MS, MINUTE_MS, OTHER, SIX, UNIT, Story, alert, change, play

FIVE: Final = 5 * HOUR_MS
SILENT, MISSET, CARDLESS, TORN, FULL = (f"d0000{number}" for number in range(5))
TALKING, FOREIGN, LATE, WELL, BROKEN = (f"d0000{number}" for number in range(5, 10))
"""The loudspeakers of the morning: five of one commune, five of another."""
CUT, SAVING, COPIED, GONE, SLOW, WEB = "d00000", "d00001", "d00002", "d00003", "d00005", "d00010"
"""Loudspeakers of the forenoon; the last two are of two other communes."""
THIRD: Final = UnitPath(UNIT.replace("31000", "31002"))
ALARM_MS: Final = SIX + 25_000
AWAY_MS: Final = 46 * HOUR_MS
BACK_MS: Final = 2 * HOUR_MS + AWAY_MS
"""When the network is there again for the lonely one."""


@dataclass(frozen=True, slots=True)
class Span:
    """A sound from its beginning to its end, in milliseconds since dawn."""

    begin_ms: int
    end_ms: int
    output: Output

    @property
    def item(self) -> str:
        """Which programme; empty for anything else."""
        return self.output.item if isinstance(self.output, ProgrammeOutput) else ""


@dataclass(slots=True)
class Sight:
    """What the office saw, by milliseconds since dawn: how well it reaches `GONE`; what it thinks of `COPIED`."""

    reach: dict[int, Reach] = field(default_factory=dict)
    copies: dict[int, CloneSign | None] = field(default_factory=dict)


def spans(story: Story, device: str, *, since_ms: int = 0, until_ms: int = 1 << 60) -> list[Span]:
    """What was heard of a device and began between two instants, in order."""
    begun: dict[str, int] = {}
    found = []
    for one in story.records:
        if one.who == device and one.what == "sound.began":
            begun[one.thing.output.key] = one.at - DAWN
        elif one.who == device and one.what == "sound.ended":
            begin_ms = begun.pop(one.thing.output.key)
            if since_ms <= begin_ms < until_ms:
                found.append(Span(begin_ms, one.at - DAWN, one.thing.output))
    return sorted(found, key=lambda span: span.begin_ms)


def faults(story: Story, device: str, code: FaultCode) -> list[int]:
    """When the office learned of such a fault, in milliseconds since dawn."""
    told = [one for one in story.told("report.fault") if isinstance(one.thing, Fault)]
    return [one.at - DAWN for one in told if one.thing.code is code and one.thing.device == device]


def as_run(story: Story, device: str) -> list[AsRun]:
    """What the office was told to have sounded."""
    told = [one.thing for one in story.told("report.asrun")]
    return [one for one in told if isinstance(one, AsRun) and one.device == device]


def statuses(story: Story, device: str) -> list[tuple[int, Status]]:
    """What the office was told of its state, and when, in milliseconds since dawn."""
    told = [(one.at - DAWN, one.thing) for one in story.told("report.status")]
    return [(at_ms, one) for at_ms, one in told if isinstance(one, Status) and one.device == device]


@cache
def morning() -> Story:
    """From midnight to six; both communes have a programme at five and a relay at a quarter past."""
    return play(
        change(FIVE - 130 * MINUTE_MS, item="night", in_s=600, seconds=300, **{"class": "priority"}),
        Happening(FIVE - MINUTE_MS, SILENT, "audio.amplifier", 14 * MINUTE_MS),
        Happening(FIVE - 30_000, MISSET, "clock.wall", 20 * MINUTE_MS, str(73 * MINUTE_MS)),
        Happening(0, CARDLESS, "audio.card", FIVE + 30_000),
        *(Happening(FIVE - 10 * MINUTE_MS + 15_000 * one, CARDLESS, "agent.crash") for one in range(20)),
        *(Happening(FIVE - 30_000 + 5_000 * one, TORN, "network.torn") for one in range(40)),
        Happening(FIVE - 10 * MINUTE_MS, FULL, "storage.full", 30 * MINUTE_MS),
        *(Happening(FIVE + MINUTE_MS * one, TALKING, "panel.talk", 10_000) for one in (1, 2, 3)),
        Happening(FIVE + 17 * MINUTE_MS, FOREIGN, "radio.foreign", 30 * MINUTE_MS, "station=0 pi=other db=20"),
        Happening(FIVE - HOUR_MS, LATE, "network.cut", HOUR_MS + 2 * MINUTE_MS),
        Happening(FIVE - HOUR_MS + MINUTE_MS, LATE, "power.cut", 60_000),
        Happening(FIVE + 2 * MINUTE_MS, BROKEN, "audio.break_off"),
        devices=10,
        hours=6.0,
        before=_bare,
    )


@cache
def forenoon() -> tuple[Story, Sight]:
    """From six on, in three communes; the story, and what the office saw meanwhile."""
    sight = Sight()
    policies = [
        change(SIX + 10 * turn * MINUTE_MS, item=f"x{word}", in_s=60, seconds=300, catch_up=word, target=CUT)
        for turn, word in enumerate(("resume", "restart", "skip"))
    ]
    story = play(
        *policies,
        *(Happening(SIX + (10 * turn + 3) * MINUTE_MS, CUT, "power.cut", 30_000) for turn in range(3)),
        Happening(SIX - 1000, SAVING, "power.saving", 20_000, "before"),
        Happening(SIX + 10 * MINUTE_MS - 1000, SAVING, "power.saving", 20_000, "after"),
        Happening(SIX, COPIED, "broker.copy", 30 * MINUTE_MS),
        Happening(SIX - MINUTE_MS, GONE, "network.half_open", 30 * MINUTE_MS),
        Happening(SIX - MINUTE_MS, SLOW, "network.slow", 30 * MINUTE_MS),
        *(replace(change(SIX + 1000 * one, item=f"y{one}", in_s=1500 + 60 * one), who=OTHER) for one in range(4)),
        alert(ALARM_MS, who=OTHER, life_ms=20_000),
        Happening(SIX - 2 * MINUTE_MS, THIRD, "people.rules", 0, "fallback"),
        replace(change(SIX, item="z1", in_s=60, seconds=300, content="stream"), who=THIRD),
        *(Happening(SIX + 120_000 + 9_000 * one, "air", "audio.stream", 4_500, "stalled") for one in range(15)),
        replace(change(SIX + 9 * MINUTE_MS, item="z2", seconds=300), who=THIRD),
        replace(change(SIX + 11 * MINUTE_MS, "empty"), who=THIRD),
        devices=11,
        hours=6.75,
        before=lambda world: _watched(world, sight),
    )
    return story, sight


@cache
def lonely() -> Story:
    """Two days without a network, with a power cut in the middle; then it comes back, and after it an emergency."""
    return play(
        Happening(BACK_MS - AWAY_MS, DEVICE, "network.credit", AWAY_MS),
        Happening(12 * HOUR_MS, DEVICE, "power.cut", 10 * MINUTE_MS),
        alert(BACK_MS + 20 * MINUTE_MS),
        hours=49.0,
        before=_bare,
    )


def _bare(world: World) -> None:
    """No guardian stands between, every board measures at its amplifier, and one has no clock of its own."""
    for device in world.devices.values():
        device.guardian = None
        device.speaker.block(Block.RELAY, False)
        device.defects.metered = True
    if LATE in world.devices:
        world.devices[LATE].chip = world.devices[LATE].cell = None


def _watched(world: World, sight: Sight) -> None:
    _bare(world)
    world.broker.inside = False

    def look() -> None:
        process, now = world.controller.process, world.trace_wall()
        assert process is not None, "nothing happens to the controller"
        gone, copied = process.roster.get(GONE), process.roster.get(COPIED)
        assert gone is not None and copied is not None, "they are enrolled"
        sight.reach[now - DAWN] = process.roster.reach_of(gone, now=now)
        sight.copies[now - DAWN] = copied.clone_sign

    for minute in range(-5, 45, 3):
        world.later(SIX + minute * MINUTE_MS, look)
