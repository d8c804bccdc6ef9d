"""A whole agent with a root: a stick names another anchor, and it holds without a network and after a restart."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from edge.app import _root
from edge.config import AgentConfig
from edge.core.state import AgentState
from edge.root_watch import RootWatch
from edge.updates.__main__ import _asked
from protocol import codec
from protocol.keys import SigningKey
from simulators.loop_clock import LoopClock
from simulators.tuf_repository import TufRepository
from tests.edge.core.office import ANCHOR
from tests.edge.test_app import Village

NEW = dataclasses.replace(ANCHOR, keys=(SigningKey.from_seed(b"n" * 32).public,), threshold=1)


class RootedVillage(Village):
    """Its device was enrolled with a root and looks for sticks."""

    def __init__(self, directory: Path) -> None:
        super().__init__(directory)
        self.repository = TufRepository(begin=datetime.now(UTC))
        (directory / "root.json").write_bytes(self.repository.files["metadata/1.root.json"])

    def config(self) -> AgentConfig:
        root, usb = self.directory / "root.json", self.directory / "usb"
        return dataclasses.replace(super().config(), root=str(root), usb=str(usb))

    def put_in_stick(self, anchor: bytes) -> None:
        self.repository.add("anchor.json", anchor)
        self.repository.renew("targets")
        for path, data in self.repository.files.items():
            place = self.directory / "usb" / "loalang-root" / path
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(data)


def holds_new(state: AgentState) -> bool:
    return state.identity.anchor == NEW


@pytest.mark.slow
async def test_agent_takes_the_anchor_of_a_stick(tmp_path: Path) -> None:
    village = RootedVillage(tmp_path)
    village.put_in_stick(codec.encode(NEW))
    async with village.running():
        await village.wait_state(holds_new)
    (tmp_path / "usb").rename(tmp_path / "pulled")
    async with village.running():
        await village.wait_state(holds_new)


async def test_child_understands_what_the_agent_says(tmp_path: Path) -> None:
    config = RootedVillage(tmp_path).config()
    papers: dict[str, Any] = {"ca": "/ca.pem", "certificate": "/own.pem", "key": "/own.key"}
    papers["controller_url"] = "https://loa.example/"
    sources = _root(dataclasses.replace(config, **papers), tmp_path, clocks=(LoopClock(),))
    watch = sources["root"].__self__  # type: ignore[attr-defined]
    assert isinstance(watch, RootWatch)
    asked = _asked(["sync", *watch._words(), "--url", watch.places.url, *watch.places.tls])
    assert (asked.url, asked.any_date, str(asked.client_key)) == ("https://loa.example/root", True, "/own.key")


def test_agent_without_a_root_asks_for_none(tmp_path: Path) -> None:
    assert _root(Village(tmp_path).config(), tmp_path, clocks=()) == {}
