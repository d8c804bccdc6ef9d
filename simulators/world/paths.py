"""Every way by which bytes can reach a device, for people in a hurry and for attackers; and who answers questions.

`Front` stands where devices believe the controller to be: it passes their questions on to the honest one until
somebody has taken it. Stands for `simulators/attacker.py` (broker, web server, stick), without its sockets.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from edge.core.events import EnvelopeReceived, Event, ParcelReceived, Route
from protocol import codec
from protocol.clock import WallMs
from protocol.document import Kind
from protocol.envelope import sign
from protocol.freshness import Attestation
from protocol.limits import TEXT_CHARS_MAX
from protocol.parcel import Parcel
from protocol.topics import ALERT, DOC, LIVE, unit_topic
from protocol.units import UnitPath, covers
from simulators.world.web import Web

if TYPE_CHECKING:
    from simulators.world.world import World

DOC_PATH: Final = "doc"
ALERT_PATH: Final = "alert"
POLL: Final = "poll"
POLL_ALERT: Final = "poll_alert"
STICK: Final = "stick"
PATHS: Final = (DOC_PATH, ALERT_PATH, POLL, POLL_ALERT, STICK)
_PLANTED_MAX: Final = 64
_PLANTED_MS: Final = 20 * 60_000
_MARK: Final = "!"


def raw_parcel(scope: UnitPath, envelopes: Iterable[bytes]) -> bytes:
    """A parcel around any bytes."""
    return codec.encode(Parcel(scope, tuple(one.decode(errors="replace") for one in envelopes)))


@dataclass(slots=True)
class Lie:
    """What a taken controller does.

    Attributes:
        clock_ms: how far its attestations are off.
        mute: it answers no question.
        old: it answers questions about the time with what it answered before, to whomever.
        media: what is wrong with the programmes it gives: `short`, `same` (in length), `long`; empty when nothing is.
    """

    clock_ms: int = 0
    mute: bool = False
    media: str = ""
    old: bool = False


_SWAPPED: Final[dict[str, Callable[[bytes], bytes]]] = {
    "short": lambda true: true[:100],
    "same": lambda true: b"swap" + true[4:],
    "long": lambda true: true + true,
}


class Front:
    """Implements `simulators.world.web.Web`.

    Args:
        honest: who answers as long as nobody has taken it.

    Attributes:
        lied: questions that were answered falsely.
        false_reports: ids of as-run records that somebody else made up in a device's name.
    """

    def __init__(self, world: World, honest: Web) -> None:
        self._world, self._honest = world, honest
        self.lied = 0
        self.false_reports: set[str] = set()
        self._lies: list[Lie] = []
        self._answer: bytes | None = None
        self._planted: list[tuple[UnitPath, Event, WallMs]] = []
        self._gone = 0
        self._held: list[Callable[[], None]] = []

    @property
    def lie(self) -> Lie | None:
        """What it does now; None while it is honest."""
        return self._lies[-1] if self._lies else None

    def take(self, lie: Lie) -> None:
        """Somebody has it and does this; of several the last one has it."""
        self._lies.append(lie)

    def leave(self, lie: Lie) -> None:
        """That one is thrown out."""
        self._lies.remove(lie)
        self._tell()

    def plant(self, unit: UnitPath, event: Event) -> None:
        """Whoever asks from within this unit in the next minutes is given this as well, once."""
        self._planted.append((unit, event, WallMs(self._world.trace_wall() + _PLANTED_MS)))
        while len(self._planted) > _PLANTED_MAX:
            self._planted.pop(0)
            self._gone += 1
        self._tell()

    def hold(self, told: Callable[[], None]) -> Callable[[], None]:
        """See `Web`."""
        self._held.append(told)
        release = self._honest.hold(told)

        def take_back() -> None:
            if told in self._held:
                self._held.remove(told)
            release()

        return take_back

    def _tell(self) -> None:
        held, self._held = self._held, []
        for told in held:
            told()

    def attest(self, nonce: str) -> bytes | None:
        """See `Web`."""
        if self.lie is not None and self.lie.old and self._answer is not None:
            self.lied += 1
            return self._answer
        if self.lie is None or (not self.lie.mute and not self.lie.clock_ms):
            true = self._honest.attest(nonce)
            self._answer = self._answer or true
            return true
        self.lied += 1
        if self.lie.mute:
            return None
        wall = WallMs(self._world.trace_wall() + self.lie.clock_ms)
        key = self._world.offices.freshness
        return sign(Kind.ATTESTATION, codec.encode(Attestation(nonce, wall)), [key]).pack()

    def media(self, digest: str) -> bytes | None:
        """See `Web`."""
        lie, true = self.lie, self._honest.media(digest)
        if lie is None or true is None or not (lie.mute or lie.media):
            return true
        self.lied += 1
        return None if lie.mute else _SWAPPED[lie.media](true)

    def documents(self, place: UnitPath, cursor: str) -> tuple[str, list[Event]] | None:
        """See `Web`; the second half of the cursor counts what was planted."""
        true, _, seen = cursor.partition(_MARK)
        if self.lie is not None and self.lie.mute:
            self.lied += 1
            return None
        first = max(0, int(seen or "0") - self._gone)
        now = self._world.trace_wall()
        planted = [event for unit, event, until in self._planted[first:] if covers(unit, place) and now < until]
        found = self._honest.documents(place, true)
        if found is None and not planted:
            return None
        at, events = found if found is not None else (true, [])
        count = self._gone + len(self._planted)
        return f"{at[:TEXT_CHARS_MAX]}{_MARK}{count}", [*events, *planted]


def place_of(world: World, name: str) -> UnitPath:
    """Where a device belongs by the newest word that was signed about it."""
    return world.offices.places.get(name, world.devices[name].identity.place)


def deliver(world: World, who: str, path: str, data: bytes) -> None:
    """Brings the bytes of one envelope to a unit's devices or to one of them, past the controller.

    Args:
        who: a unit, or a device's name.
        path: one of `PATHS`.
    """
    unit = place_of(world, who) if who in world.devices else UnitPath(who)
    if path == DOC_PATH:
        world.broker.publish(unit_topic(unit, DOC), raw_parcel(unit, [data]))
    elif path == ALERT_PATH:
        world.broker.publish(unit_topic(unit, ALERT), data)
    elif path == POLL:
        world.front.plant(unit, ParcelReceived(raw_parcel(unit, [data]), Route.HTTP))
    elif path == POLL_ALERT:
        world.front.plant(unit, EnvelopeReceived(data, Route.HTTP))
    else:
        plug(world, who, raw_parcel(unit, [data]))


def plug(world: World, who: str, bundle: bytes) -> None:
    """Puts a stick with this bundle into a device, or into each of a unit."""
    for name, device in world.devices.items():
        if name == who or covers(UnitPath(who), place_of(world, name)):
            device.hand(ParcelReceived(bundle, Route.USB))


def say(world: World, unit: UnitPath, segment: bytes) -> None:
    """A segment of live speech."""
    world.broker.publish(unit_topic(unit, LIVE), segment)
