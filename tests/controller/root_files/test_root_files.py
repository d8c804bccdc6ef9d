"""The root's files are handed to anybody, and nothing else is."""

from __future__ import annotations

import asyncio
from pathlib import Path

import aiohttp
import pytest
from yarl import URL

from controller.keys import CONFIG
from controller.root_files.domain import BYTES_MAX, find, is_lasting
from edge.updates.client import from_web, sync
from simulators.tuf_repository import BEGIN, TufRepository
from tests.controller.running import RunningController
from tests.edge.updates.conftest import wall


@pytest.fixture
def capabilities() -> tuple[str, ...]:
    return ("web", "people", "units", "audit", "root_files")


def publish(folder: Path) -> TufRepository:
    repository = TufRepository()
    repository.add("anchor.json", b"the anchor")
    repository.add("software/agent/new.whl", b"software")
    repository.renew("targets")
    for name, data in repository.files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    return repository


async def test_device_fetches_without_a_name(controller: RunningController, tmp_path: Path) -> None:
    repository = publish(controller.app[CONFIG].data / "root")
    root = repository.files["metadata/1.root.json"]
    origin = from_web(f"{controller.origin}/root")
    work = asyncio.to_thread(sync, tmp_path / "m", origin, into=tmp_path / "t", root=root, wall=wall(BEGIN))
    synced = await work
    origin.fetcher.close()
    assert synced.anchor and synced.anchor.read_bytes() == b"the anchor"


async def test_what_changes_is_not_kept_by_caches(controller: RunningController) -> None:
    publish(controller.app[CONFIG].data / "root")
    async with aiohttp.ClientSession(controller.origin) as session:
        async with session.get("/root/metadata/timestamp.json") as answer:
            assert answer.headers["Cache-Control"] == "no-cache"
        async with session.get("/root/metadata/1.root.json") as answer:
            assert "immutable" in answer.headers["Cache-Control"]


@pytest.mark.parametrize(
    "path",
    [
        "",
        "metadata",
        "metadata/",
        "targets/",
        "metadata/9.root.json",
        "..%2Fcontroller.db",
        "metadata/..%2F..%2Fanchor.json",
    ],
)
async def test_nothing_else_is_handed_out(controller: RunningController, path: str) -> None:
    publish(controller.app[CONFIG].data / "root")
    async with aiohttp.ClientSession() as session:
        url = URL(f"{controller.origin}/root/{path}", encoded=True)
        async with session.get(url) as answer:
            assert answer.status == 404


def test_names_outside_find_nothing(tmp_path: Path) -> None:
    publish(tmp_path / "root")
    (tmp_path / "root" / "key.json").write_bytes(b"")
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret" / "1.json").write_bytes(b"")
    (tmp_path / "root" / "metadata" / "link.json").symlink_to(tmp_path / "secret" / "1.json")
    (tmp_path / "root" / "targets" / "link").symlink_to(tmp_path / "secret")
    names = ("key.json", "../secret/1.json", "metadata/../key.json", "metadata/link.json", "targets/link/1.json")
    assert [find(tmp_path / "root", name) for name in (*names, "/etc/passwd", "metadata//1.root.json")] == [None] * 7
    assert find(tmp_path / "root", "metadata/1.root.json")


def test_file_that_nobody_takes_is_not_sent(tmp_path: Path) -> None:
    (tmp_path / "metadata").mkdir()
    with (tmp_path / "metadata" / "1.root.json").open("wb") as file:
        file.truncate(BYTES_MAX["metadata"] + 1)
    assert find(tmp_path, "metadata/1.root.json") is None


def test_names_with_a_version_last() -> None:
    assert is_lasting("metadata/12.targets.json")
    assert is_lasting(f"targets/software/agent/{'a' * 64}.new.whl")
    assert not is_lasting("metadata/timestamp.json")
    assert not is_lasting("targets/anchor.json")
