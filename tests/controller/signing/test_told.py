"""A controller whose database is older than what its devices obey: a backup was put in its place."""

from __future__ import annotations

import base64
import json

import pytest
from sqlalchemy import delete

from controller.app import CAPABILITIES
from controller.devices.keys import INGEST, ROSTER
from controller.keys import CLOCK, ENGINE
from controller.signing.counters import next_sequence
from controller.signing.told import LEAP_MAX, following
from controller.store.engine import writing
from controller.store.schema import counters
from protocol.clock import WallMs
from protocol.report import InForce
from tests.controller.devices.pretend import connected, until
from tests.controller.running import KE_SACH
from tests.controller.signing.authorities import request_signature
from tests.controller.signing.conftest import Stage
from tests.controller.signing.stage import token

DEVICE = "vn-92-31528-c01"
DIGEST = "5" * 64


@pytest.fixture
def capabilities() -> tuple[str, ...]:
    """All, so that it looks after devices."""
    return CAPABILITIES


@pytest.mark.parametrize(("kind", "fields"), [("schedule", {}), ("audible-config", {"config": {}})])
@pytest.mark.slow
async def test_next_version_lies_above_what_devices_obey(stage: Stage, kind: str, fields: dict[str, object]) -> None:
    async def told() -> object:
        return stage.running.app[ROSTER].versions_told()

    await stage.running.app[INGEST].renew_roster()
    async with connected(stage.running, token(DEVICE), DEVICE) as device:
        held = (InForce(KE_SACH, kind, 41, DIGEST), InForce(KE_SACH, "grant", 99, DIGEST))
        await device.tell(device.status(in_force=held))
        await until(told, bool)
    request = await request_signature(stage.operator, KE_SACH, kind=kind, **fields)
    assert json.loads(base64.b64decode(request["payload"]))["version"] == 42


async def test_made_up_version_does_not_use_up_the_numbers() -> None:
    assert following(7, 0) == following(7, 3) == following(7, 7 + LEAP_MAX + 1) == following(7, 2**53 - 1) == 8
    assert following(7, 7 + LEAP_MAX) == 8 + LEAP_MAX


async def test_emergency_after_an_old_backup_is_no_replay(stage: Stage) -> None:
    app, given = stage.running.app, []
    for number in range(2):
        now = WallMs(app[CLOCK]() + number * 10 * 60_000)
        async with writing(app[ENGINE]) as connection:
            given += [await next_sequence(connection, KE_SACH, now=now) for _ in range(3)]
            await connection.execute(delete(counters))
    assert len({*given}) == 6
