"""The attacker: controller, database, broker, DNS and network are his, and so is the key for heads and attestations.

He has every message that was ever sent. He has no operator's key, except one of another commune: an insider.
Written once, as a thing that is: tests tell it what to do, and it does it by every path that leads to a device.
"""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from protocol import codec
from protocol.clock import WallMs
from protocol.document import Kind
from protocol.envelope import Envelope, sign
from protocol.errors import DocumentError
from protocol.freshness import Head, Newest
from protocol.keys import SigningKey
from protocol.limits import REPORT_BYTES_MAX
from protocol.parcel import Parcel
from protocol.report import AsRun, Confirmation, Fault, Receipt, Report, Standing, Status, report_mark
from protocol.topics import ALERT, DOC, LIVE, stored_topic, unit_topic, up_of_topic
from protocol.units import UnitPath
from simulators.attacker_broker import AttackerBroker, Said
from simulators.attacker_web import AttackerWeb

BUNDLE: Final = "loalang-bundle.json"
PATHS: Final = ("doc", "alert", "poll", "poll alert", "stick")
"""Every way by which a signed document can reach a device."""


def raw_parcel(scope: UnitPath, envelopes: Iterable[bytes]) -> bytes:
    """A parcel around any bytes."""
    return codec.encode(Parcel(scope, tuple(one.decode(errors="replace") for one in envelopes)))


def _confirm(said: Said) -> tuple[str, bytes] | None:
    """He wants to go unnoticed: a device hears, as from an honest controller, that its report is stored."""
    topic = up_of_topic(said.topic)
    if topic is None or topic[1] in (None, Status):
        return None
    return stored_topic(topic[0]), codec.encode(Confirmation((report_mark(said.payload),)))


class Attacker:
    """Everything between the offices and the horns.

    Args:
        freshness: the controller's own key, which is in his hands.
        insider: the key of another commune's operator.
        wall: the true time; he may lie about it.
        unit: the unit whose devices he is after.
        slot: where a USB stick is put into the device.
    """

    def __init__(
        self, *, freshness: SigningKey, insider: SigningKey, wall: Callable[[], WallMs], unit: UnitPath, slot: Path
    ) -> None:
        self.freshness, self.insider = freshness, insider
        self.broker = AttackerBroker()
        self.web = AttackerWeb(freshness, wall=wall)
        self.history: list[Envelope] = []
        self._unit, self._slot, self._wall = unit, slot, wall
        self._reports: list[Report] = []
        self._read = 0
        self.broker.reply = _confirm

    async def __aenter__(self) -> Self:
        await self.broker.open()
        await self.web.open()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.broker.close()
        await self.web.close()

    # Saying something to the device.

    async def deliver(self, path: str, data: bytes) -> None:
        """Sends the bytes of one envelope by one path."""
        deliveries: dict[str, Callable[[bytes], Awaitable[None]]] = {
            "doc": self._by_doc,
            "alert": self._by_alert,
            "poll": self._by_poll,
            "poll alert": self._by_poll_alert,
            "stick": self._by_stick,
        }
        await deliveries[path](data)

    async def _by_doc(self, data: bytes) -> None:
        self.on_topic(DOC, raw_parcel(self._unit, [data]))

    async def _by_alert(self, data: bytes) -> None:
        self.on_topic(ALERT, data)

    async def _by_poll(self, data: bytes) -> None:
        await self.web.tell(parcels=[raw_parcel(self._unit, [data])])

    async def _by_poll_alert(self, data: bytes) -> None:
        await self.web.tell(alerts=[data])

    async def _by_stick(self, data: bytes) -> None:
        self.plug(raw_parcel(self._unit, [data]))

    def on_topic(self, leaf: str, payload: bytes, *, unit: UnitPath | None = None) -> int:
        """Publishes any bytes on a unit's topic; the packet id."""
        return self.broker.publish(unit_topic(unit or self._unit, leaf), payload, retain=leaf == DOC)

    def segment(self, data: bytes) -> None:
        """Publishes bytes as a live segment."""
        self.on_topic(LIVE, data)

    def fresh_slot(self) -> Path:
        """An empty directory to be filled, which becomes the stick by `swap_stick`."""
        filling = self._slot.with_name("filling")
        shutil.rmtree(filling, ignore_errors=True)
        filling.mkdir(parents=True)
        return filling

    def swap_stick(self) -> None:
        """Puts in what `fresh_slot` gave."""
        self.pull_stick()
        self._slot.with_name("filling").rename(self._slot)

    def pull_stick(self) -> None:
        """Takes the stick out."""
        shutil.rmtree(self._slot, ignore_errors=True)

    def plug(self, bundle: bytes) -> None:
        """Puts in a stick with this bundle."""
        (self.fresh_slot() / BUNDLE).write_bytes(bundle)
        self.swap_stick()

    def head(self, *, issued: WallMs | None = None, newest: tuple[Newest, ...] = ()) -> Envelope:
        """A head under his freshness key, with any date."""
        head = Head(self._unit, issued if issued is not None else self._wall(), newest)
        return sign(Kind.HEAD, codec.encode(head), [self.freshness])

    # Listening to the device.

    def reports(self) -> list[Report]:
        """All that devices told, in order; what is not a report is left out."""
        for said in self.broker.said[self._read :]:
            topic = up_of_topic(said.topic)
            if topic is not None and topic[1] is not None:
                with suppress(DocumentError):
                    self._reports.append(codec.decode(topic[1], said.payload, bytes_max=REPORT_BYTES_MAX))
        self._read = len(self.broker.said)
        return self._reports

    def receipts(self, document: str = "") -> list[Receipt]:
        """Receipts, of one document or of all; one sent again after a lost acknowledgement is one."""
        told = list(dict.fromkeys(one for one in self.reports() if isinstance(one, Receipt)))
        return [one for one in told if not document or one.document == document]

    def refusals(self) -> dict[str, list[str]]:
        """For each document that was refused, the reasons told."""
        found: dict[str, list[str]] = {}
        for one in self.receipts():
            if one.standing is Standing.REFUSED:
                found.setdefault(one.document, []).append(str(one.refusal))
        return found

    def faults(self) -> list[Fault]:
        """Faults as they began and ended; one sent again is one."""
        return list(dict.fromkeys(one for one in self.reports() if isinstance(one, Fault)))

    def as_run(self) -> list[AsRun]:
        """What the device says has sounded; a record sent again is one."""
        return list(dict.fromkeys(one for one in self.reports() if isinstance(one, AsRun)))

    def statuses(self) -> list[Status]:
        """How the device says it is."""
        return [one for one in self.reports() if isinstance(one, Status)]

    async def until(self, holds: Callable[[], object], *, within_s: float = 60.0) -> None:
        """Returns when something holds after a report. Raises TimeoutError."""
        async with asyncio.timeout(within_s), self.broker.heard:
            await self.broker.heard.wait_for(holds)
