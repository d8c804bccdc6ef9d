"""A controller with its authorities, and the log it keeps."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from controller.app import CAPABILITIES
from controller.keys import CLOCK
from controller.transparency.keys import NOTARY
from controller.transparency.notary import Notary
from protocol import codec
from protocol.alert import Alert, Part
from protocol.clock import WallMs
from protocol.document import Kind
from protocol.envelope import Envelope, sign
from protocol.keys import SigningKey
from protocol.schedule import Schedule
from protocol.units import UnitPath
from tests.controller.running import KE_SACH, Person, RunningController
from tests.controller.signing.authorities import Ceremony
from tests.controller.signing.stage import browser, set_up

DAY_MS = 86_400_000


@pytest.fixture
def capabilities() -> tuple[str, ...]:
    """What is started."""
    return CAPABILITIES


@pytest.fixture
async def ceremony(controller: RunningController) -> Ceremony:
    """Kế Sách with loudspeakers and grants."""
    return await set_up(controller)


@pytest.fixture
def notary(controller: RunningController) -> Notary:
    """Whoever signs for the log."""
    return controller.app[NOTARY]


def schedule(running: RunningController, key: SigningKey, *, version: int, unit: UnitPath = KE_SACH) -> Envelope:
    """An empty schedule."""
    now = running.app[CLOCK]()
    made = Schedule(unit, version, now, WallMs(now + DAY_MS), ())
    return sign(Kind.SCHEDULE, codec.encode(made), [key])


def alert(running: RunningController, *keys: SigningKey, unit: UnitPath = KE_SACH, sequence: int = 1) -> Envelope:
    """An emergency."""
    now = running.app[CLOCK]()
    made = Alert(
        scope=unit,
        id=f"lu-{sequence}",
        sequence=sequence,
        issued=now,
        expires=WallMs(now + 600_000),
        severity=3,
        targets=(unit,),
        parts=(Part("vi", "Nước lũ đang lên."),),
    )
    return sign(Kind.ALERT, codec.encode(made), keys)


def copied(data: Path, copy: Path) -> None:
    """A backup of a controller that is running: its database as a whole, not file by file under its writer."""
    shutil.copytree(data, copy, ignore=shutil.ignore_patterns("controller.db*"))
    here, there = (sqlite3.connect(one / "controller.db") for one in (data, copy))
    with closing(here), closing(there):
        here.backup(there)


def by_hand(data: Path, *statements: str) -> None:
    """Edits the database as somebody with a shell does; the triggers do not stop who drops them."""
    database = sqlite3.connect(data / "controller.db")
    with database:
        for act in ("update", "delete"):
            database.execute(f"DROP TRIGGER IF EXISTS log_entries_no_{act}")
        for statement in statements:
            database.execute(statement)
    database.close()


async def english(running: RunningController, login: str) -> Person:
    """A browser of somebody who reads English."""
    person = await browser(running, login)
    await person.send("/language", {"language": "en", "onward": "/"})
    return person
