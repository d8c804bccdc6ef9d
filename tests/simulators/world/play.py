"""Plays a few happenings in a small world and remembers all that was told, for tests that look at one kind each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from edge.core.output import ProgrammeOutput
from protocol.clock import WallMs
from protocol.document import Kind
from protocol.errors import Refusal
from protocol.report import Receipt, Standing
from protocol.units import UnitPath
from simulators.world.checkers.checker import Violation
from simulators.world.clock import DAWN
from simulators.world.horn import Heard
from simulators.world.office import PROVINCE
from simulators.world.people import in_words
from simulators.world.plan import Happening, Plan, Shape
from simulators.world.trace import Record
from simulators.world.world import Run, World

MINUTE_MS = 60_000
HOUR_MS = 3_600_000
SIX = 6 * HOUR_MS
"""Nothing of a commune's day lies in the hour from six, but of a busy one's."""
UNIT, OTHER = UnitPath(f"{PROVINCE}/31000"), UnitPath(f"{PROVINCE}/31001")
DEVICE = "d00000"
NIGHT = 10 * MINUTE_MS
"""Ten past midnight: what is refused is refused at any hour."""


@dataclass(slots=True)
class Story:
    """What came of it.

    Attributes:
        world: as it was at its end.
    """

    records: list[Record] = field(default_factory=list)
    violations: tuple[Violation, ...] = ()
    world: World | None = None
    trace: str = ""

    def told(self, what: str, who: str = "") -> list[Record]:
        """Records of a kind."""
        return [one for one in self.records if one.what == what and who in ("", one.who)]

    def receipts(self, device: str = "") -> list[Receipt]:
        """What devices said of documents."""
        found = [one.thing for one in self.told("report.receipt")]
        return list(dict.fromkeys(one for one in found if isinstance(one, Receipt) and device in ("", one.device)))

    def refusals(self, kind: str = "", device: str = "") -> list[Refusal]:
        """Reasons for refusing documents of a kind."""
        refused = [one for one in self.receipts(device) if one.standing is Standing.REFUSED]
        return [one.refusal for one in refused if one.refusal is not None and kind in ("", one.kind)]

    def received(self, kind: str, device: str = "") -> list[str]:
        """Digests of documents of a kind that were taken."""
        found = [one for one in self.receipts(device) if one.kind == kind and one.standing is Standing.RECEIVED]
        return [one.document for one in found]

    def heard(self, device: str, *, since_ms: int = 0) -> list[tuple[int, Heard]]:
        """Sounds that began: since dawn in milliseconds, and what."""
        found = [(one.at - DAWN, one.thing) for one in self.told("sound.began", device)]
        return [one for one in found if one[0] >= since_ms]


def play(
    *happenings: Happening,
    devices: int = 1,
    hours: float = 7.0,
    seed: int = 2,
    before: Callable[[World], None] = lambda _: None,
) -> Story:
    """Runs it; all rules are judged, and broken ones are in `violations`."""
    story = Story()

    def watch(world: World) -> None:
        story.world = world
        world.trace.listen(story.records.append)
        before(world)

    ordered = tuple(sorted(happenings, key=lambda one: (one.at_ms, one.what, one.who)))
    outcome = Run(Plan(Shape(seed, devices, hours / 24), ordered), watch=watch)()
    story.violations, story.trace = outcome.violations, outcome.trace
    return story


def at(hours: float) -> WallMs:
    """A true instant of the world's first day."""
    return WallMs(DAWN + round(hours * HOUR_MS))


def change(at_ms: int, act: str = "add", **fields: object) -> Happening:
    """A change of the schedule; what is not named is a minute of ordinary sound in ten seconds."""
    plain = {
        "act": act,
        "item": f"x{at_ms}",
        "pick": 0,
        "in_s": 10,
        "seconds": 60,
        "content": "programme",
        "target": "all",
        "catch_up": "resume",
        "word": "no",
        "class": "ordinary",
    }
    return Happening(at_ms, UNIT, "people.schedule", 0, in_words(**(plain | fields)))


def alert(at_ms: int, *, who: str = UNIT, life_ms: int = MINUTE_MS, **fields: object) -> Happening:
    """An emergency; what is not named is plain."""
    plain = {"id": f"a{at_ms}", "kind": Kind.ALERT, "severity": 3, "media": "no", "late_ms": 0, "wide": ""}
    return Happening(at_ms, who, "people.alert", life_ms, in_words(**(plain | fields)))


def programmes(story: Story, device: str = DEVICE) -> dict[str, int]:
    """First second of each item, since six o'clock."""
    found: dict[str, int] = {}
    for at_ms, heard in story.heard(device, since_ms=SIX):
        if isinstance(heard.output, ProgrammeOutput):
            found.setdefault(heard.output.item, at_ms - SIX)
    return found
