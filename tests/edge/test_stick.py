"""A stick in a village without a network, the whole way: made at the office, taken, and its logs read there."""

from __future__ import annotations

import asyncio
import hashlib
import json
from dataclasses import replace
from pathlib import Path

import pytest

from edge.config import AgentConfig
from protocol import codec
from protocol.bulletin import BulletinClass, Explicit, MediaRef
from protocol.clock import DAY_MS, WallMs
from protocol.document import Kind
from protocol.schedule import Item, Programme, Schedule
from protocol.sealed import LogKey
from provisioning.bundle import make_bundle
from provisioning.inspection import inspect
from provisioning.log_open import open_log
from provisioning.saved_files import SavedFiles
from simulators.loop_clock import LoopClock
from tests.edge.core.office import ANCHOR, COMMUNE, COMMUNE_KEY, grant_of, sign_document, sign_grant
from tests.edge.test_app import Village

pytestmark = pytest.mark.slow
LOG_KEY = LogKey.from_secret(b"k" * 32)
SOUND = b"a minute of sound " * 5000
MEDIA = MediaRef(hashlib.sha256(SOUND).hexdigest(), len(SOUND), 60_000)


class FarVillage(Village):
    """No broker, no controller, a slot for sticks."""

    def config(self) -> AgentConfig:
        made = replace(super().config(), usb=str(self.directory / "slot"))
        (self.directory / "anchor.json").write_bytes(codec.encode(replace(ANCHOR, log_key=LOG_KEY.public)))
        return made


@pytest.fixture
async def stick(tmp_path: Path) -> Path:
    wall = LoopClock().now().wall
    item = Item(
        id="tin",
        title="Tin",
        bulletin_class=BulletinClass.ORDINARY,
        content=Programme(MEDIA),
        when=Explicit((WallMs(wall + 3_600_000),)),
        targets=(COMMUNE,),
    )
    speech = Schedule(COMMUNE, 1, wall, WallMs(wall + DAY_MS), (item,))
    envelopes = (sign_grant(grant_of(COMMUNE, (COMMUNE_KEY,))), sign_document(Kind.SCHEDULE, speech, COMMUNE_KEY))
    (tmp_path / "saved.json").write_text(json.dumps({"envelopes": [one.pack().decode() for one in envelopes]}))
    (tmp_path / "recordings").mkdir()
    (tmp_path / "recordings" / "tin.ogg").write_bytes(SOUND)
    source = SavedFiles([tmp_path / "saved.json"], tmp_path / "recordings")
    await make_bundle(source, COMMUNE, tmp_path / "stick")
    assert inspect(tmp_path / "stick", anchor=ANCHOR, wall=wall).ok
    return tmp_path / "stick"


async def test_village_without_a_network(tmp_path: Path, stick: Path) -> None:
    village = FarVillage(tmp_path)
    async with village.running():
        stick.rename(tmp_path / "slot")
        state = await village.wait_state(lambda state: MEDIA.digest in state.media)
        assert state.link_up is False
        async with asyncio.timeout(10):
            while not (logs := list((tmp_path / "slot" / "loalang-logs").glob("*.sealed"))):
                await asyncio.sleep(0.02)
    found = open_log(logs[0], LOG_KEY, tmp_path / "opened")
    assert found.device == "dev-c07"
    told = [json.loads(line) for line in (tmp_path / "opened" / "reports.jsonl").read_bytes().splitlines()]
    assert "ParcelReceived" in (tmp_path / "opened" / "journal.jsonl").read_text()
    assert {(one[2]["kind"], one[2]["standing"]) for one in told} >= {
        ("schedule", "received"),
        ("bundle", "received"),
    }
