"""Takes in what devices send: checks, batches, writes, and tells open pages.

Nothing a device says is obeyed, so a false report can at most colour a screen; still each is bounded, checked against
the device whose topic it came on, and dropped when the device is not enrolled.

A device keeps receipts, faults and as-run records until it is told that they are stored (docs/adr/0018). It is told
after the transaction, and also of what can never be stored because it is damaged.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import Final

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from controller.devices.announcer import Announcer
from controller.devices.clone import CloneSign
from controller.devices.domain import Reach
from controller.devices.live import DeviceNow, Roster
from controller.devices.queries import all_devices
from controller.devices.reports import Batch, Key, write
from controller.ports import Clock
from controller.store.engine import reading, writing
from protocol import codec
from protocol.errors import DocumentError
from protocol.limits import REPORT_BYTES_MAX
from protocol.report import AsRun, Fault, Receipt, Report, Standing, Status, report_mark
from protocol.topics import up_of_topic

logger = logging.getLogger(__name__)

BATCH_MAX: Final = 500
BATCH_S: Final = 0.05
WAITING_MAX: Final = 50_000
GRADE_EVERY_S: Final = 1.0
RETRY_S: Final = 1.0
RETRY_S_MAX: Final = 30.0
RENEW_MS: Final = 1000
LOOK_EVERY_MS: Final = 10_000
"""Devices may also be enrolled by another program on the same database."""
HELD_MAX: Final = 1000
_FAILURES_MAX: Final = 16


Confirm = Callable[[str, Sequence[str]], Awaitable[None]]
"""Tells a device, by its id, which reports it need not keep any longer."""


class Ingest:
    """Reports from the broker to database, memory and pages.

    Args:
        batch_s: how long reports are gathered for one transaction.
    """

    def __init__(
        self,
        engine: AsyncEngine,
        roster: Roster,
        announcer: Announcer,
        clock: Clock,
        *,
        confirm: Confirm,
        batch_s: float = BATCH_S,
    ) -> None:
        self._engine = engine
        self._confirm, self._batch_s = confirm, batch_s
        self._roster = roster
        self._announcer = announcer
        self._clock = clock
        self._batch = Batch()
        self._full: deque[Batch] = deque()
        self._failures, self._lost = 0, False
        self._wanted = asyncio.Event()
        self._held: list[tuple[str, bytes, bool]] = []
        self._renewed = 0
        self._grades: dict[str, Reach] = {}
        self._unsettled: set[str] = set()
        self.listeners: list[Callable[[Batch], None]] = []
        """Called with each batch that was stored; must be quick and never raise."""
        self.dropped = 0
        """Reports that were damaged, false or too many."""

    def receive(self, topic: str, payload: bytes, retained: bool) -> None:
        """Takes in one message; quick, never raises."""
        named = up_of_topic(topic)
        if named is None:
            self._drop(topic, "no topic of ours")
            return
        device, kind = named
        known = self._roster.get(device)
        if known is None:
            self._hold(topic, payload, retained)
        elif kind is None:
            self._take_link(known, payload == b"1", remembered=retained)
        elif retained:
            self._drop(topic, "a report is never retained")
        else:
            self._take_report(known, kind, payload)

    def _take_link(self, device: DeviceNow, up: bool, *, remembered: bool) -> None:
        device.link_up = up
        if up and not remembered:
            self._suspect(device, device.watch.connected(now=self._clock()))
        self._batch.links[device.enrolled.id] = up
        self._counted()
        self._announcer.device(device.enrolled.id)

    def _take_report(self, device: DeviceNow, kind: type[Report], payload: bytes) -> None:
        if kind is not Status:
            self._batch.confirm.setdefault(device.enrolled.id, []).append(report_mark(payload))
        report = self._read(device, kind, payload)
        if report is not None:
            self._sort(device, report)
        self._counted()

    def _read(self, device: DeviceNow, kind: type[Report], payload: bytes) -> Report | None:
        try:
            report = codec.decode(kind, payload, bytes_max=REPORT_BYTES_MAX)
        except DocumentError as error:
            self._drop(device.enrolled.id, str(error))
            return None
        if report.device != device.enrolled.id:
            self._drop(device.enrolled.id, "a report in another device's name")
            return None
        return report

    def _sort(self, device: DeviceNow, report: Report) -> None:
        now = self._clock()
        match report:
            case Status():
                self._take_status(device, report)
            case Receipt():
                self._batch.receipts.append((report, now))
            case AsRun():
                self._batch.runs.append(report)
            case Fault():
                self._batch.faults.append(report)
                if report.ended is None:
                    self._unsettled.add(report.device)
                self._announcer.device(device.enrolled.id)

    def _take_status(self, device: DeviceNow, status: Status) -> None:
        former, now = device.status, self._clock()
        self._suspect(device, device.watch.heard(status.boot_id, wall=status.wall, now=now))
        levels = device.take(status, now=now)
        changed = former is None or former.boot_id != status.boot_id or former.faults != status.faults
        if changed or status.device in self._unsettled:
            # Letters of former starts come after the first status of this one, and nobody is left who ends them.
            self._unsettled.discard(status.device)
            self._batch.reconcile.add(status.device)
        self._batch.links[status.device] = True
        self._batch.statuses[status.device] = (device.status or status, now)
        self._announcer.device(status.device, levels)

    def _suspect(self, device: DeviceNow, sign: CloneSign | None) -> None:
        """Two boxes use one identity, it seems; the surer sign stays."""
        now, known = self._clock(), device.enrolled
        if sign is None or not device.watch.is_news(sign, now=now):
            return
        if known.clone_sign != CloneSign.BOOTS_ALTERNATE:
            device.enrolled = replace(known, clone_sign=sign.value, clone_seen=now)
        self._batch.clones[known.id] = (CloneSign(device.enrolled.clone_sign or sign), now)
        self._announcer.device(known.id)

    def _counted(self) -> None:
        self._batch.count += 1
        if self._batch.count >= BATCH_MAX:
            self._close_batch()
        self._wanted.set()

    def _close_batch(self) -> None:
        if len(self._full) * BATCH_MAX < WAITING_MAX:
            self._full.append(self._batch)
        else:
            self.dropped += self._batch.count
            level = logging.DEBUG if self._lost else logging.ERROR
            logger.log(level, "the database does not keep up; %d reports are lost", self._batch.count)
            self._lost = True
        self._batch = Batch()

    def _drop(self, what: str, why: str) -> None:
        self.dropped += 1
        level = logging.WARNING if self.dropped == 1 else logging.DEBUG
        logger.log(level, "dropped a report from %s: %s", what[:120], why[:200])

    async def run(self) -> None:
        """Writes until it is cancelled, then once more."""
        try:
            while True:
                await self._wanted.wait()
                self._wanted.clear()
                await asyncio.sleep(self._batch_s if not self._full else 0)
                await self._drain()
                if self._held:
                    self._wanted.set()
        finally:
            await asyncio.shield(self._drain())

    async def _drain(self) -> None:
        try:
            if self._held and self._is_over(RENEW_MS):
                await self._admit_held()
            # What came while nothing could be stored gathers in one batch: many small ones would count as too many.
            while self._full or self._batch:
                if not self._full:
                    self._close_batch()
                await self._write(self._full[0])
                self._full.popleft()
        except SQLAlchemyError as error:
            # A disk that is full may be full for days, and every line of the log wants room on it.
            level = logging.DEBUG if self._failures else logging.ERROR
            logger.log(level, "reports could not be stored; trying again: %s", error.args[0])
            self._wanted.set()
            await asyncio.sleep(min(RETRY_S * 2**self._failures, RETRY_S_MAX))
            self._failures = min(self._failures + 1, _FAILURES_MAX)
        else:
            self._failures, self._lost = 0, False

    async def _write(self, batch: Batch) -> None:
        async with writing(self._engine) as connection:
            changed = await write(connection, batch)
        self._tell(changed, batch)
        for told in self.listeners:
            told(batch)
        for device, reports in batch.confirm.items():
            await self._confirm(device, reports)

    def _tell(self, changed: set[Key], batch: Batch) -> None:
        for device, document, item in changed:
            known = self._roster.get(device)
            if known is not None:
                self._announcer.standing(document, item, known.unit)
        for receipt, _ in batch.receipts:
            known = self._roster.get(receipt.device)
            if receipt.standing is Standing.REFUSED and known is not None:
                name = receipt.refusal.value if receipt.refusal else ""
                place = known.enrolled.place
                self._announcer.refusal(place, device=receipt.device, document=receipt.document, refusal=name)

    def _hold(self, topic: str, payload: bytes, retained: bool) -> None:
        """Keeps what an unknown device says until we have looked whether it was enrolled meanwhile."""
        if len(self._held) >= HELD_MAX:
            self._drop(topic, "not enrolled")
            return
        self._held.append((topic, payload, retained))
        self._wanted.set()

    async def _admit_held(self) -> None:
        await self.renew_roster()
        held, self._held = self._held, []
        for topic, payload, retained in held:
            named = up_of_topic(topic)
            if named is not None and named[0] in self._roster:
                self.receive(topic, payload, retained)
            else:
                self._drop(topic, "not enrolled")

    def _is_over(self, pause_ms: int) -> bool:
        """Whether the roster is as old as this, or of a time that a corrected clock has taken back."""
        return not 0 <= self._clock() - self._renewed < pause_ms

    async def renew_roster(self) -> None:
        """Reads who is enrolled; called at start, after an enrolment, and when a stranger speaks."""
        asked = self._clock()
        async with reading(self._engine) as connection:
            self._roster.renew(await all_devices(connection))
        self._renewed = asked

    async def watch_grades(self) -> None:
        """Tells pages when silence alone changed a grade, and looks who is enrolled, until it is cancelled."""
        while True:
            now = self._clock()
            for device in self._roster:
                grade = self._roster.reach_of(device, now=now)
                if self._grades.get(device.enrolled.id, grade) is not grade:
                    self._announcer.device(device.enrolled.id)
                self._grades[device.enrolled.id] = grade
            await asyncio.sleep(GRADE_EVERY_S)
            if self._is_over(LOOK_EVERY_MS):
                await self._look_again()

    async def _look_again(self) -> None:
        try:
            await self.renew_roster()
        except SQLAlchemyError as error:
            logger.debug("who is enrolled could not be read: %s", error)
