"""The controller of the world: a computer with a disk, on which the real controller is started again and again.

Offices hand in what they signed until it is taken; devices ask over HTTPS.

For checkers: `as_run()`, `standings()`, `faults()`, `refusals()` and `unlogged()` give the rows that the controller
has stored at this moment, as mappings by the names of their columns (`controller/store/schema.py`). A report is
there at the latest two seconds after it came, and its device keeps it until it is. After `restore` the database is
an old one: reports that devices were told are stored may be gone with it, so `lost` says from when to when nothing
is known.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Final

from controller.broker.gate import CONTROLLER
from controller.broker.rights import DeviceRights
from controller.devices.queries import Enrolled, add_device
from controller.store.engine import writing
from edge.core.events import EnvelopeReceived, Event, ParcelReceived, Route
from edge.ports import FetchError
from protocol.clock import WallMs
from protocol.units import UnitPath
from simulators.world.broker import Broker
from simulators.world.chance import Chance
from simulators.world.database import Database, Doom
from simulators.world.office import Offices, Signed
from simulators.world.process import Process
from simulators.world.reception import Reception
from simulators.world.trace import Trace

_TOLD_S: Final = 86_400.0


class WorldController:
    """Implements `simulators.world.web.Web`.

    Attributes:
        process: the controller that runs now; None while the computer is off.
        files: media by digest; they outlive a crash, and a backup holds them too.
        clock_error_ms: its clock minus true time.
        reception: where offices hand in.
        lost: begin and end of the times whose reports an old backup does not have.
    """

    def __init__(
        self,
        offices: Offices,
        *,
        broker: Broker,
        trace: Trace,
        wall: Callable[[], WallMs],
        chance: Chance,
        heartbeat_ms: int,
    ) -> None:
        self._offices, self._broker, self._trace, self._wall, self._chance = offices, broker, trace, wall, chance
        self._heartbeat_ms = heartbeat_ms
        self._loop = asyncio.get_running_loop()
        self._enrolled: list[Enrolled] = []
        self._held: dict[int, Callable[[], None]] = {}
        self._holds = self._starts = self._full = 0
        self._backup: tuple[bytes, WallMs] | None = None
        broker.may_subscribe = self.may_subscribe
        self.reception = Reception(lambda: self.process, trace=trace, wall=wall)
        self.database = Database()
        self.process: Process | None = None
        self.second: Process | None = None
        self._second_since = self._restored_from = WallMs(0)
        self.files: dict[str, bytes] = {}
        self.clock_error_ms = 0
        self.lost: list[tuple[WallMs, WallMs]] = []

    # Its computer.

    def enrol(self, device: str, place: UnitPath) -> None:
        """Takes a device in, before the world begins."""
        self._enrolled.append(Enrolled(device, place, device))

    async def run(self) -> None:
        """The first start; faults do the others."""
        opened = self.database.open()
        async with writing(opened.engine) as connection:
            for device in self._enrolled:
                await add_device(connection, device, token="", now=self._wall())
        self._backup = self.database.image(), self._wall()
        await self._start()
        await asyncio.Event().wait()

    def wall(self) -> WallMs:
        """What its clock shows."""
        return WallMs(self._wall() + self.clock_error_ms)

    def turn_clock(self, by_ms: int) -> None:
        """Somebody, or nobody, sets its clock; what it does every two seconds sees that."""
        self.clock_error_ms += by_ms
        if self.process is not None:
            self.process.distribution.poke()

    async def _start(self) -> None:
        self.process = self._process(self.database, "controller", self.wall, died=self._died)
        process = self.process
        await process.start()
        self._trace.tell("controller", "controller.up")
        self._tell_held()
        while process.alive:
            await process.distribution.shelf.wait(seconds=_TOLD_S)
            self._tell_held()

    def _process(
        self, database: Database, name: str, wall: Callable[[], WallMs], *, died: Callable[[], None]
    ) -> Process:
        self._starts += 1
        return Process(
            database.open(died=died),
            name=name,
            anchor=self._offices.anchor,
            key=self._offices.freshness,
            broker=self._broker,
            chance=Chance(self._chance.stream(f"{name}/start {self._starts}").getrandbits(63)),
            trace=self._trace,
            wall=wall,
            heartbeat_ms=self._heartbeat_ms,
        )

    def crash(self) -> None:
        """The power fails: what is not committed is lost."""
        process, self.process = self.process, None
        if process is not None:
            self._trace.tell("controller", "controller.down")
            process.kill()
            if self._broker.inside and self._broker.up:
                self._broker.stop()
            self._tell_held()

    def crash_at_commit(self, doom: Doom) -> None:
        """It dies with the next thing that it writes."""
        if self.process is not None:
            self.process.doom(doom)

    def spare(self) -> None:
        """It has written nothing in time to die of."""
        if self.process is not None:
            self.process.doom(None)

    def _died(self) -> None:
        self._loop.call_soon(self.crash)

    def start(self) -> None:
        """The power is back."""
        if self.process is None:
            if self._broker.inside and not self._broker.up:
                self._broker.start(with_memory=False)
            self._loop.create_task(self._start())

    def back_up(self) -> None:
        """As somebody does now and then; there is one backup."""
        self._backup = self.database.image(), self._wall()

    def restore(self) -> None:
        """The disk has broken and the backup is put in its place; the power must be off."""
        assert self.process is None and self._backup is not None, "a running database is not replaced"
        image, since = self._backup
        self.database.restore(image)
        self._restored_from = since
        self.lost.append((since, self._wall()))

    def fill_disk(self, *, full: bool) -> None:
        """Nothing more can be stored, or there is room again."""
        self._full += 1 if full else -1
        self.database.full = self._full > 0

    def start_second(self) -> None:
        """Somebody starts the controller once more, on a copy of its directory."""
        if self.second is None and not self._broker.inside:
            copy, self._second_since = Database(self.database.image()), self._wall()
            self.second = self._process(copy, "second controller", self._wall, died=lambda: None)
            self._loop.create_task(self.second.start())

    def stop_second(self) -> None:
        """It is found out."""
        second, self.second = self.second, None
        if second is not None:
            second.kill()
            self.lost.append((self._second_since, self._wall()))

    # Offices.

    def accept(self, signed: Signed) -> None:
        """See `Reception.accept`."""
        self.reception.accept(signed)

    def hand_in_again(self) -> None:
        """Offices bring once more what was taken since the backup that is in use now."""
        self.reception.hand_in_again(since=self._restored_from)

    # Devices.

    def attest(self, nonce: str) -> bytes | None:
        """See `Web`."""
        return self._there().attest(nonce)

    def media(self, digest: str) -> bytes | None:
        """See `Web`."""
        self._there()
        return self.files.get(digest)

    def documents(self, place: UnitPath, cursor: str) -> tuple[str, list[Event]] | None:
        """See `Web`."""
        answer = self._there().distribution.shelf.answer(place)
        if answer.cursor == cursor:
            return None
        alerts: list[Event] = [EnvelopeReceived(one.encode(), Route.HTTP) for one in answer.alerts]
        return answer.cursor, alerts + [ParcelReceived(one.encode(), Route.HTTP) for one in answer.parcels]

    def may_subscribe(self, client: str, topic: str) -> bool:
        """What the broker inside the controller allows; mosquitto's patterns let every device read all units."""
        process = self.process
        if not self._broker.inside or process is None or client.startswith(CONTROLLER):
            return True
        known = process.roster.get(client)
        if known is None:
            return False
        one = known.enrolled
        return DeviceRights(one.id, one.place, one.former).may_subscribe(topic)

    def hold(self, told: Callable[[], None]) -> Callable[[], None]:
        """See `Web`."""
        self._holds += 1
        number = self._holds
        self._held[number] = told
        return lambda: self._held.pop(number, None) and None

    def _there(self) -> Process:
        if self.process is None:
            raise FetchError("the controller does not answer")
        return self.process

    def _tell_held(self) -> None:
        held, self._held = self._held, {}
        for told in held.values():
            told()

    # What it knows.

    def rows(self, table: str) -> list[dict[str, Any]]:
        """All rows of a table as they are stored, in the order of storing."""
        return self.database.rows(table)

    def as_run(self) -> list[dict[str, Any]]:
        """What sounded, as devices told: `id`, `device`, `rung`, `began_ms`, `ended_ms`, `document`, `item`, …."""
        return self.rows("as_run")

    def standings(self) -> list[dict[str, Any]]:
        """How far each document and item has come on each device: `device`, `document`, `item`, `standing`, …."""
        return self.rows("standings")

    def faults(self) -> list[dict[str, Any]]:
        """Faults of devices: `device`, `code`, `began_ms`, `ended_ms`."""
        return self.rows("faults")

    def refusals(self) -> list[dict[str, Any]]:
        """What devices refused: `device`, `document`, `kind`, `refusal`, `wall_ms`."""
        return self.rows("refusals")

    def unlogged(self) -> list[dict[str, Any]]:
        """What devices obeyed without the controller ever having stored it: `device`, `document`, `kind`."""
        return self.rows("unlogged")
