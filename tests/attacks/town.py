"""A controller that is taken: the real service with database and disk, a real mosquitto, and two real loudspeakers.

In real time. Whoever attacks edits, publishes and swaps by hand, as somebody with a shell does; whoever judges
listens below the horns and reads the page that an auditor reads.
"""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from controller.app import present
from controller.signing.keys import DISTRIBUTION
from controller.web.i18n import compile_catalogues
from edge.core.output import Rung
from edge.core.state import AgentState
from protocol import codec
from protocol.alert import Alert, Cancel, Part
from protocol.audible_config import AudibleConfig
from protocol.bulletin import BulletinClass, Explicit, MediaRef
from protocol.clock import DAY_MS, WallMs
from protocol.document import Kind
from protocol.envelope import Envelope, sign
from protocol.errors import Refusal
from protocol.keys import SigningKey
from protocol.schedule import Item, Programme, Schedule
from protocol.topics import ALERT, unit_topic
from protocol.units import UnitPath
from simulators.air import plain_programmes
from simulators.device import SimDevice
from simulators.listening import find, first_sound_ms
from simulators.surroundings import Enrolled, Surroundings
from tests.contracts.broker import free_port, mosquitto, plain_listener
from tests.controller.running import KE_SACH, TRAN_DE, Person, RunningController, fill, run_controller
from tests.controller.signing.authorities import Ceremony, post
from tests.controller.signing.stage import browser

SILENT_S: Final = 2.0
"""Whatever a command would make sound begins within a second."""
CORRELATION_MIN: Final = 0.7
_WITHIN_S: Final = 15.0
_PIECE_BYTES: Final = 72_000


@dataclass
class Town:
    """Everything of one taken controller."""

    running: RunningController
    ceremony: Ceremony
    broker_port: int
    technician: Person
    auditor: Person
    operator: Person
    devices: dict[UnitPath, SimDevice] = field(default_factory=dict)
    number: int = 100

    @property
    def data(self) -> Path:
        """The controller's data directory."""
        return self.running.config.data

    @property
    def ours(self) -> SimDevice:
        """The loudspeaker that is attacked."""
        return self.devices[KE_SACH]

    def next(self) -> int:
        """Versions and sequences only grow."""
        self.number += 1
        return self.number

    # What honest offices sign.

    def sign(self, kind: Kind, document: object, *keys: SigningKey) -> Envelope:
        """Under the commune's key, unless others are named."""
        return sign(kind, codec.encode(document), keys or (self.ceremony.ke_sach,))

    def alert(self, unit: UnitPath = KE_SACH, **fields: Any) -> Alert:
        """An emergency of ten minutes."""
        wall, number = present(), self.next()
        made: dict[str, Any] = {
            "scope": unit,
            "id": f"lu-{number}",
            "sequence": number,
            "issued": wall,
            "expires": WallMs(wall + 600_000),
            "severity": 3,
            "targets": (unit,),
            "parts": (Part("vi", "Nước lũ đang lên."),),
        }
        return Alert(**(made | fields))

    def schedule(self, *items: Item, unit: UnitPath = KE_SACH) -> Schedule:
        """The next version."""
        wall = present()
        return Schedule(unit, self.next(), wall, WallMs(wall + DAY_MS), items)

    def item(self, media: MediaRef, *, in_ms: int = 3000, unit: UnitPath = KE_SACH) -> Item:
        """A programme that begins in a moment."""
        when = Explicit((WallMs(present() + in_ms),))
        return Item(f"ban-tin-{self.next()}", "Bản tin", BulletinClass.ORDINARY, Programme(media), when, (unit,))

    def rules(self) -> AudibleConfig:
        """No quiet hours, whatever the hour is."""
        return AudibleConfig(KE_SACH, self.next(), present())

    async def hand_in(self, *envelopes: Envelope, state: str = "accepted") -> None:
        """By the door that honest signers use."""
        results = await post(self.running.stranger(), *envelopes)
        assert {one["state"] for one in results} == {state}, results

    # What somebody with a shell does.

    async def by_hand(self, statement: str, *values: object) -> None:
        """Edits the database behind the service's back, and lets it publish what it finds."""
        await asyncio.to_thread(self._execute, statement, values)
        self.running.app[DISTRIBUTION].poke()

    def _execute(self, statement: str, values: tuple[object, ...]) -> None:
        database = sqlite3.connect(self.data / "controller.db", timeout=10)
        with database:
            database.execute(statement, values)
        database.close()

    async def insert(self, envelope: Envelope, *, scope: UnitPath = KE_SACH, **fields: object) -> None:
        """A row that no door has let in, in force at once."""
        now = present()
        row: Mapping[str, object] = {
            "digest": envelope.digest,
            "scope": scope,
            "kind": envelope.kind,
            "version": None,
            "sequence": None,
            "state": "in_force",
            "envelope": envelope.pack(),
            "holder": "ke-sach",
            "signers_json": "[]",
            "issued_ms": now,
            "expires_ms": now + 600_000,
            "stored_ms": now,
        } | fields
        marks = ",".join("?" for _ in row)
        await self.by_hand(f"INSERT INTO documents ({','.join(row)}) VALUES ({marks})", *row.values())

    async def mosquitto_pub(self, topic: str, payload: bytes, *options: str) -> None:
        """The tool that everybody has."""
        program = shutil.which("mosquitto_pub")
        assert program is not None, "asked for by the fixture"
        words = ("-p", str(self.broker_port), "-q", "1", "-t", topic, "-s" if payload else "-n", *options)
        child = await asyncio.create_subprocess_exec(program, *words, stdin=asyncio.subprocess.PIPE)
        await child.communicate(payload)
        assert child.returncode == 0

    # Who judges.

    async def refused(self, document: str, *reasons: Refusal, began: float) -> None:
        """An auditor reads the reason on the page; below the horn there was not one sample."""
        found = await self.shown(document)
        assert {one["refusal"] for one in found} <= {str(one) for one in reasons}, found
        page = await self.auditor.see("/log/refusals")
        assert all(f"<code>{one['refusal']}</code>" in page for one in found)
        await self.silent(began)

    async def shown(self, document: str) -> list[dict[str, Any]]:
        """What the controller tells of a document that a device refused."""
        async with asyncio.timeout(_WITHIN_S):
            while True:
                told = await self.auditor.call("GET", "/refusals")
                found = [one for one in told if one["document"] == document and one["device"] == self.ours.device]
                if found:
                    return found
                await asyncio.sleep(0.1)

    async def silent(self, began: float) -> None:
        """Neither horn has made one sample that differs from nothing since the attack began."""
        await asyncio.sleep(SILENT_S)
        for device in self.devices.values():
            first = first_sound_ms(device.board.horn.heard(began))
            assert first is None, f"{device.device} was heard {first - began:.0f} ms after the attack began"

    async def heard(self, reference: bytes, began: float, *, within_s: float = _WITHIN_S) -> None:
        """A piece of a sound correlates with what comes out of the horn; a busy machine may tear it between two."""
        pieces = [reference[at : at + _PIECE_BYTES] for at in range(0, len(reference), _PIECE_BYTES)]
        best = 0.0
        for _ in range(int(within_s * 2)):
            await asyncio.sleep(0.5)
            samples = self.ours.board.horn.heard(began).samples
            if len(samples) >= _PIECE_BYTES:
                best = max(best, *(find(one, samples).correlation for one in pieces))
            if best >= CORRELATION_MIN:
                return
        raise AssertionError(f"it was not heard; the best correlation is {best:.2f}")

    async def alarm_is_heard(self) -> None:
        """A true emergency sounds, and is called off."""
        alert = self.alert()
        await self.hand_in(self.sign(Kind.ALERT, alert))
        async with asyncio.timeout(_WITHIN_S):
            while first_sound_ms(self.ours.board.horn.heard(alert.issued)) is None:
                await asyncio.sleep(0.1)
        await self.call_off(alert)

    def cancel(self, alert: Alert) -> Envelope:
        """The signed cancel of an alert."""
        return self.sign(Kind.CANCEL, Cancel(alert.scope, alert.id, alert.issued, alert.expires, alert.targets))

    async def call_off(self, alert: Alert) -> None:
        """The prepared cancel, and the touch that sends it."""
        await self.hand_in(self.cancel(alert))
        await self.operator.call("POST", f"/alerts/{alert.id}/cancel")
        await self.quiet()

    async def quiet(self) -> None:
        """Waits until nothing is said any more, and its last sample has left."""
        await self.ours.wait_state(lambda state: state.sound.output.rung == Rung.SILENCE, within_s=_WITHIN_S)
        await asyncio.sleep(1)

    def state(self) -> AgentState:
        """What the attacked loudspeaker believes."""
        assert self.ours.state is not None, "it is switched on"
        return self.ours.state

    def alert_topic(self, unit: UnitPath = KE_SACH) -> str:
        """Where emergencies of a unit are published."""
        return unit_topic(unit, ALERT)


@asynccontextmanager
async def open_town(directory: Path) -> AsyncIterator[Town]:
    """Runs it until the block ends."""
    compile_catalogues()
    data, port = directory / "data", free_port()
    data.mkdir()
    await fill(data)
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(mosquitto(directory, f"user root\n{plain_listener(port)}", port=port))
        running = await stack.enter_async_context(run_controller(data, broker=f"mqtt://127.0.0.1:{port}"))
        ceremony = Ceremony(present())
        ceremony.write_anchor(data)
        pinned = directory / "anchor.json"
        pinned.write_bytes((data / "anchor.json").read_bytes())
        technician, auditor = await browser(running, "technician"), await browser(running, "auditor")
        town = Town(running, ceremony, port, technician, auditor, operator=await browser(running, "ke-sach"))
        await town.hand_in(*ceremony.grants(), town.sign(Kind.AUDIBLE_CONFIG, town.rules()))
        around = Surroundings(running.origin, "127.0.0.1", port, pinned, directory / "devices", heartbeat_ms=500)
        for unit in (KE_SACH, TRAN_DE):
            town.devices[unit] = await stack.enter_async_context(_loudspeaker(town.technician, unit, around))
        yield town


@asynccontextmanager
async def _loudspeaker(technician: Person, unit: UnitPath, around: Surroundings) -> AsyncIterator[SimDevice]:
    name, place = f"loa-{unit.rpartition('/')[2]}", UnitPath(f"{unit}/c01")
    body = {"id": name, "place": place, "name": f"Ấp {name}"}
    made = await technician.call("POST", "/devices", body, status=201)
    enrolled = Enrolled(name, place, body["name"], made["token"], full_sound=True)
    device = SimDevice(enrolled, around, programmes=plain_programmes())
    await device.open()
    try:
        await device.wait_state(
            lambda state: state.link_up and bool(state.trust.grants) and state.clock.agreed is not None,
            within_s=20,
        )
        yield device
    finally:
        await device.close()
