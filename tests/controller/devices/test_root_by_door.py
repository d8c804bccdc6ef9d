"""The root's files are fetched by the same door and with the same certificate as everything else."""

from __future__ import annotations

import asyncio
import dataclasses
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from edge.app import _root
from edge.config import AgentConfig
from edge.core.events import RootReceived
from edge.root_watch import Rhythm, RootWatch
from protocol.units import UnitPath
from simulators.loop_clock import LoopClock
from simulators.tuf_repository import TufRepository
from tests.contracts.papers import authority, expired
from tests.controller.running import KE_SACH, run_controller

DEVICE = "ke-sach-01"
PLACE = UnitPath(f"{KE_SACH}/c01")


@pytest.mark.slow
async def test_device_fetches_the_root_with_its_certificate(filled: Path, tmp_path: Path) -> None:
    """Also with a certificate of the controller that has ended: a dead clock keeps nobody from the root."""
    province, data = authority(tmp_path / "province"), Path(shutil.copytree(filled, tmp_path / "data"))
    expired(province.ca, province.server / "server.pem")
    repository = TufRepository(begin=datetime.now(UTC) - timedelta(days=1))
    repository.add("anchor.json", b"the anchor")
    repository.renew("targets")
    for name, content in repository.files.items():
        (data / "root" / name).parent.mkdir(parents=True, exist_ok=True)
        (data / "root" / name).write_bytes(content)
    (tmp_path / "root.json").write_bytes(repository.files["metadata/1.root.json"])
    papers = province.enrol(DEVICE)
    async with run_controller(data, device_tls=province.server) as controller:
        technician = await controller.person("technician")
        body = {"id": DEVICE, "place": PLACE, "name": "Ấp 1", "certificate": papers.text}
        await technician.call("POST", "/devices", body, status=201)
        config = AgentConfig(
            DEVICE,
            PLACE,
            f"https://127.0.0.1:{controller.door}",
            "127.0.0.1",
            1,
            "",
            ca=str(papers.ca),
            certificate=str(papers.certificate),
            key=str(papers.key),
            root=str(tmp_path / "root.json"),
        )
        watch = _root(config, tmp_path / "device", clocks=(LoopClock(),))["root"].__self__  # type: ignore[attr-defined]
        assert isinstance(watch, RootWatch)
        at_once = dataclasses.replace(watch, rhythm=Rhythm(first_s=0, retry_s=0.1, every_s=60, look_s=0.05))
        async with asyncio.timeout(20):
            assert await anext(at_once.events()) == RootReceived(b"the anchor", None)
