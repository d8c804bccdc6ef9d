"""A device that was enrolled with a root, the root's holders, and whoever hosts the root's files in their place."""

from __future__ import annotations

import asyncio
import copy
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from securesystemslib.signer import CryptoSigner

from edge.updates.client import Origin, sync
from protocol import codec
from protocol.clock import WallMs
from protocol.denial import RootWord
from protocol.errors import Refusal
from protocol.grants import Anchor
from protocol.report import Receipt
from simulators.tuf_repository import MemoryFetcher, TufRepository
from tests.attacks.offices import ANCHOR, NINE
from tests.attacks.scene import Scene

BEGIN: Final = datetime.fromtimestamp(NINE / 1000, UTC)
TOLD_S: Final = 200
"""The child is begun within two minutes of the start."""


class Rooted:
    """The scene, with a root of three holders of whom two sign; targets are theirs as well.

    Attributes:
        repository: as its holders have it. What is hosted is what `host` was given.
        yesterday: all its files before the newest were published.
    """

    def __init__(self, scene: Scene, *, age: timedelta = timedelta(0)) -> None:
        self.scene, self._age = scene, age
        self.repository = honest_root(BEGIN - age)
        self.publish(codec.encode(ANCHOR), RootWord(1))
        self.yesterday = dict(self.repository.files)
        self.publish(codec.encode(ANCHOR), RootWord(2))
        scene.speaker.root = self.repository.files["metadata/1.root.json"]
        self.host(self.repository)

    def publish(self, anchor: bytes | Anchor, word: RootWord | None = None) -> None:
        """The holders publish, properly signed."""
        data = anchor if isinstance(anchor, bytes) else codec.encode(anchor)
        self.repository.add("anchor.json", data)
        if word is not None:
            self.repository.add("root-word.json", codec.encode(word))
        self.repository.renew("targets")

    def seed(self) -> None:
        """What the device brought itself on a day before."""
        place = self.scene.speaker.data / "root"
        origin = Origin("memory://metadata/", "memory://targets/", MemoryFetcher(self.repository))  # type: ignore[arg-type]
        day_before = WallMs(NINE - round(self._age.total_seconds() * 1000))
        root = self.scene.speaker.root
        sync(place / "metadata", origin, into=place / "targets", root=root, wall=day_before)

    def host(self, repository: TufRepository) -> None:
        """What the attacker's web server gives out from now on."""
        self.scene.attacker.web.root = repository.files

    def stick(self, repository: TufRepository) -> None:
        """A stick with these files."""
        folder = self.scene.attacker.fresh_slot()
        for path, data in repository.files.items():
            place = folder / "loalang-root" / path
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(data)
        self.scene.attacker.swap_stick()

    async def power_up(self) -> None:
        """The device stands as it should, and has told of the word that it had before."""
        await self.scene.power_up()
        await self.scene.attacker.until(lambda: self.told("root-word"))

    def forgery(self) -> TufRepository:
        """A copy to be tampered with; it holds every key, of which an attack uses what it says it has."""
        made = copy.copy(self.repository)
        made.files = dict(self.repository.files)
        made.signers = {role: list(keys) for role, keys in self.repository.signers.items()}
        made.signed = copy.deepcopy(self.repository.signed)
        made.root, made.timestamp = made.signed["root"], made.signed["timestamp"]  # type: ignore[assignment]
        made.snapshot, made.targets = made.signed["snapshot"], made.signed["targets"]  # type: ignore[assignment]
        return made

    def trusted(self) -> dict[str, bytes]:
        """What the device has verified: the files that count, and the root they are verified by."""
        place = self.scene.speaker.data / "root"
        files = (*_files(place / "targets"), place / "metadata" / "root.json")
        return {str(path.relative_to(place)): path.read_bytes() for path in files if path.exists()}

    def told(self, *kinds: str) -> list[Receipt]:
        """What the device said about root, anchor and word."""
        return [
            one for one in self.scene.attacker.receipts() if one.kind in (kinds or ("root", "anchor", "root-word"))
        ]

    async def refused(self, reason: Refusal, *, kind: str = "root") -> Receipt:
        """The reason is told; nothing sounds, nothing is changed, and the device goes on obeying."""
        scene, began = self.scene, self.scene.wall
        before, trusted = scene.speaker.on_disk(), self.trusted()
        async with asyncio.timeout(TOLD_S):
            while len(self.told()) < 2:
                await scene.speaker.silent_for(2, since_ms=began)
                began = scene.wall
        receipt = self.told()[1]
        assert (receipt.kind, receipt.refusal) == (kind, reason), f"refused because of {receipt}"
        assert receipt.detail
        await scene.speaker.silent_for(6, since_ms=began)
        assert scene.speaker.on_disk() == before
        if kind == "root":
            assert self.trusted() == trusted
        assert scene.speaker.state is not None and scene.speaker.state.identity.anchor == ANCHOR
        await scene.still_obeys()
        assert len(self.told()) == 2
        return receipt


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def honest_root(begin: datetime = BEGIN) -> TufRepository:
    """Three holders of the root and of the targets, two of whom must sign; snapshot and timestamp have a key each."""
    made = TufRepository(begin=begin, hashes=True)
    made.set_keys("root", 3, threshold=2)
    made.set_keys("targets", 3, threshold=2)
    made.publish("root")
    made.renew("targets")
    return made


def strangers(count: int = 3) -> list[CryptoSigner]:
    """Keys of nobody."""
    return [CryptoSigner.generate_ed25519() for _ in range(count)]
