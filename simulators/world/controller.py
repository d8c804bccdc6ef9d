"""The controller of the world, first line: parcels with heads, alerts, attestations, media, and what devices tell."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

from edge.core.events import Event, ParcelReceived, Route
from protocol import codec
from protocol.clock import WallMs
from protocol.document import Kind
from protocol.envelope import Envelope, sign
from protocol.freshness import Attestation, Head, Newest
from protocol.limits import REPORT_BYTES_MAX
from protocol.parcel import pack_parcel
from protocol.report import AsRun, Report
from protocol.topics import ALERT, DOC, ROOT, unit_topic, up_of_topic
from protocol.units import UnitPath, ancestors
from simulators.world.broker import Broker
from simulators.world.office import Offices, Signed
from simulators.world.trace import Trace

_HEAD_EVERY_S: Final = 3600.0


class WorldController:
    """Implements `simulators.world.link.Web`."""

    def __init__(self, offices: Offices, *, broker: Broker, trace: Trace, wall: Callable[[], WallMs]) -> None:
        self._offices, self._broker, self._trace, self._wall = offices, broker, trace, wall
        self.in_force: dict[tuple[UnitPath, str], Signed] = {}
        self.grants: list[Signed] = []
        self.files: dict[str, bytes] = {}
        self.reports: dict[str, list[Report]] = {}
        self.runs: dict[tuple[str, str], AsRun] = {}
        self.parcels: dict[UnitPath, bytes] = {}
        self.number = 0

    async def run(self) -> None:
        """Connects, and renews heads every hour."""
        self._broker.connect("controller", (f"{ROOT}/d/#",), take=self._take, hang_up=lambda: None)
        while True:
            for unit in sorted({unit for unit, _ in self.in_force}):
                self._publish(unit)
            await asyncio.sleep(_HEAD_EVERY_S)

    def accept(self, signed: Signed) -> None:
        """Stores and spreads a signed document."""
        document = signed.document
        if signed.kind is Kind.GRANT:
            self.grants.append(signed)
        elif signed.kind in (Kind.SCHEDULE, Kind.AUDIBLE_CONFIG):
            self.in_force[document.scope, signed.kind.value] = signed
            self._publish(document.scope)
        else:
            for target in getattr(document, "targets", ()):
                self._broker.publish(unit_topic(target, ALERT), signed.envelope.pack())

    def _publish(self, unit: UnitPath) -> None:
        grants = [one.envelope for one in self.grants if one.document.scope == unit]
        mine = [one for (scope, _), one in self.in_force.items() if scope == unit]
        newest = tuple(Newest(unit, one.kind.value, version_of(one)) for one in mine)
        head = sign(Kind.HEAD, codec.encode(Head(unit, self._wall(), newest)), [self._offices.freshness])
        envelopes: tuple[Envelope, ...] = (
            *grants,
            *(one.envelope for one in mine),
            head,
        )
        self.parcels[unit] = pack_parcel(unit, envelopes)
        self.number += 1
        self._broker.publish(unit_topic(unit, DOC), self.parcels[unit], retain=True)

    def _take(self, topic: str, payload: bytes, _: bool) -> None:
        named = up_of_topic(topic)
        if named is None or named[1] is None:
            return
        report = codec.decode(named[1], payload, bytes_max=REPORT_BYTES_MAX)
        if isinstance(report, AsRun):
            self.runs[report.device, report.id] = report
        self._trace.tell("controller", f"report.{type(report).__name__.lower()}", report.device, report)

    def attest(self, nonce: str) -> bytes | None:
        """See `Web`."""
        return sign(
            Kind.ATTESTATION, codec.encode(Attestation(nonce, self._wall())), [self._offices.freshness]
        ).pack()

    def media(self, digest: str) -> bytes | None:
        """See `Web`."""
        return self.files.get(digest)

    def documents(self, place: UnitPath, cursor: str) -> tuple[str, list[Event]] | None:
        """See `Web`."""
        if cursor == str(self.number):
            return None
        found = [self.parcels[unit] for unit in ancestors(place) if unit in self.parcels]
        return str(self.number), [ParcelReceived(one, Route.HTTP) for one in found]


def version_of(signed: Signed) -> int:
    """The version of a schedule or of rules."""
    return int(getattr(signed.document, "version", 0))
