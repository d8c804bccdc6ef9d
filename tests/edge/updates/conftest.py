"""A repository in memory and a client beside it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from edge.updates import client
from edge.updates.client import Origin, Synced
from edge.updates.software import Wish
from edge.updates.updater import RootUpdater
from protocol.clock import WallMs
from simulators.tuf_repository import BEGIN, MemoryFetcher, TufRepository

TOP = ("root", "timestamp", "snapshot", "targets")


def wall(moment: datetime) -> WallMs:
    return WallMs(round(moment.timestamp() * 1000))


@dataclass
class Pole:
    """A client with directories of its own, that believes it is `now`."""

    repository: TufRepository
    directory: Path
    now: datetime = BEGIN
    asked: list[str] = field(default_factory=list)
    root: bytes = b""

    def __post_init__(self) -> None:
        self.metadata.mkdir()
        self.root = self.root or self.repository.files["metadata/1.root.json"]
        (self.metadata / "root.json").write_bytes(self.root)

    @property
    def metadata(self) -> Path:
        return self.directory / "metadata"

    @property
    def into(self) -> Path:
        return self.directory / "targets"

    def updater(self) -> RootUpdater:
        fetcher = MemoryFetcher(self.repository)
        self.asked = fetcher.asked
        return RootUpdater(
            self.metadata,
            metadata_url="memory://metadata",
            target_url="memory://targets",
            fetcher=fetcher,
            root=(self.metadata / "root.json").read_bytes(),
            wall=wall(self.now),
        )

    def refresh(self) -> None:
        self.updater().refresh()

    def take(self, path: str) -> bytes | None:
        self.into.mkdir(exist_ok=True)
        taken = self.updater().take(path, into=self.into)
        return taken and taken[0].read_bytes()

    def sync(self, *, wish: Wish | None = None) -> Synced:
        fetcher = MemoryFetcher(self.repository)
        self.asked = fetcher.asked
        origin = Origin("memory://metadata/", "memory://targets/", fetcher)  # type: ignore[arg-type]
        return client.sync(self.metadata, origin, into=self.into, root=self.root, wall=wall(self.now), wish=wish)

    def trusted(self, role: str) -> bytes:
        return (self.metadata / f"{role}.json").read_bytes()

    def later(self, days: float) -> None:
        self.now += timedelta(days=days)


@pytest.fixture
def repository() -> TufRepository:
    return TufRepository()


@pytest.fixture
def pole(repository: TufRepository, tmp_path: Path) -> Iterator[Pole]:
    yield Pole(repository, tmp_path)
