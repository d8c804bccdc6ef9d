"""Whoever hosts the root's files, carries them on a stick, or has some of its keys: the anchor in force stays."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from tuf.api.exceptions import LengthOrHashMismatchError
from tuf.api.metadata import MetaFile

from edge.updates.client import Origin, sync
from edge.updates.software import Wish
from edge.updates.updater import TIMESTAMP_BYTES_MAX
from protocol import codec
from protocol.denial import Denied, RootWord
from protocol.errors import Refusal
from protocol.grants import ANCHOR_ID
from protocol.units import UnitPath
from simulators.tuf_repository import MemoryFetcher, TufRepository
from tests.attacks.offices import ANCHOR, NINE, PROVINCE, STRANGER
from tests.attacks.rooted import Rooted, honest_root, strangers
from tests.attacks.scene import Scene

pytestmark = pytest.mark.slow
EVIL = dataclasses.replace(ANCHOR, keys=(STRANGER.public,), threshold=1)
IDENTITY_KEY = "01" + "00" * 31
ORDER_EIGHT = "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a"


async def begin(rooted: Rooted, forged: TufRepository, way: str) -> None:
    """The forgery waits on the web for the device's first question, or comes on a stick."""
    if way == "web":
        rooted.host(forged)
    await rooted.power_up()
    if way == "stick":
        rooted.stick(forged)


def unsigned_root(rooted: Rooted) -> TufRepository:
    forged = rooted.forgery()
    forged.next_root(signers=strangers())
    return forged


def root_of_one(rooted: Rooted) -> TufRepository:
    forged = rooted.forgery()
    one = forged.signers["root"][:1]
    forged.set_keys("root", 1)
    forged.next_root(signers=[*one, *forged.signers["root"]])
    return forged


def root_signed_thrice(rooted: Rooted) -> TufRepository:
    """One holder's key under three names."""
    forged = rooted.forgery()
    (one, *_) = forged.signers["root"]
    forged.next_root(signers=[one])
    content = json.loads(forged.files["metadata/2.root.json"])
    content["signatures"] += [{**content["signatures"][0], "keyid": keyid} for keyid in ("ab" * 32, "cd" * 32)]
    forged.files["metadata/2.root.json"] = json.dumps(content).encode()
    return forged


def all_of_yesterday(rooted: Rooted) -> TufRepository:
    forged = rooted.forgery()
    forged.files = rooted.yesterday
    return forged


def old_snapshot(rooted: Rooted) -> TufRepository:
    """By a thief of the timestamp's key: the list of yesterday, properly signed yesterday."""
    forged = rooted.forgery()
    version = forged.snapshot.version - 1
    forged.timestamp.snapshot_meta = _named(version, forged.files[f"metadata/{version}.snapshot.json"])
    forged.timestamp.version += 1
    forged.publish("timestamp")
    return forged


def _named(version: int, data: bytes) -> MetaFile:
    return MetaFile.from_data(version, data, ["sha256"])


def old_targets(rooted: Rooted) -> TufRepository:
    """By a thief of both online keys: the anchor of yesterday, properly signed yesterday."""
    forged = rooted.forgery()
    version = forged.targets.version - 1
    old = rooted.repository.files[f"metadata/{version}.targets.json"]
    forged.snapshot.meta["targets.json"] = _named(version, old)
    for role in ("snapshot", "timestamp"):
        forged.signed[role].version += 1
        forged.publish(role)
    return forged


def mixed(rooted: Rooted) -> TufRepository:
    """Today's list with yesterday's content."""
    rooted.publish(ANCHOR, RootWord(3))
    forged = rooted.forgery()
    version = forged.targets.version
    forged.files[f"metadata/{version}.targets.json"] = forged.files[f"metadata/{version - 1}.targets.json"]
    return forged


def targets_of_one(rooted: Rooted) -> TufRepository:
    """By a thief of both online keys and of one holder of the targets."""
    forged = rooted.forgery()
    forged.add("anchor.json", codec.encode(EVIL))
    forged.signers["targets"] = forged.signers["targets"][:1]
    forged.renew("targets")
    return forged


def other_province(rooted: Rooted) -> TufRepository:
    forged = honest_root()
    forged.add("anchor.json", codec.encode(EVIL))
    for _ in range(5):
        forged.renew("targets")
    return forged


def other_bytes(rooted: Rooted) -> TufRepository:
    """The holders publish another anchor, and whoever hosts it puts his own of the same length in its place."""
    fresh = codec.encode(EVIL)
    rooted.publish(fresh)
    forged = rooted.forgery()
    path = forged.file_of("anchor.json", forged.targets.targets["anchor.json"])
    forged.files[path] = fresh.replace(STRANGER.public.encode(), b"ab" * 32)
    return forged


def longer_target(rooted: Rooted) -> TufRepository:
    fresh = codec.encode(EVIL)
    rooted.publish(fresh)
    forged = rooted.forgery()
    path = forged.file_of("anchor.json", forged.targets.targets["anchor.json"])
    forged.files[path] = fresh + b" " * 1_000_000
    return forged


def word_withheld(rooted: Rooted) -> TufRepository:
    """The new anchor is given out, the word that denies what its former keys gave is not."""
    rooted.publish(EVIL, RootWord(3, (Denied(PROVINCE, ANCHOR_ID, 1),)))
    forged = rooted.forgery()
    del forged.files[forged.file_of("root-word.json", forged.targets.targets["root-word.json"])]
    return forged


def huge_timestamp(rooted: Rooted) -> TufRepository:
    forged = rooted.forgery()
    forged.files["metadata/timestamp.json"] = b" " * (TIMESTAMP_BYTES_MAX + 1)
    return forged


def nonsense(rooted: Rooted) -> TufRepository:
    forged = rooted.forgery()
    forged.files["metadata/timestamp.json"] = b"[" * 10_000
    return forged


FORGERIES: dict[str, tuple[Callable[[Rooted], TufRepository], Refusal]] = {
    "unsigned": (unsigned_root, Refusal.THRESHOLD_NOT_MET),
    "one of two": (root_of_one, Refusal.THRESHOLD_NOT_MET),
    "one key thrice": (root_signed_thrice, Refusal.THRESHOLD_NOT_MET),
    "timestamp rolled back": (all_of_yesterday, Refusal.OLDER_VERSION),
    "snapshot rolled back": (old_snapshot, Refusal.OLDER_VERSION),
    "targets rolled back": (old_targets, Refusal.OLDER_VERSION),
    "mixed": (mixed, Refusal.BAD_SIGNATURE),
    "targets of one holder": (targets_of_one, Refusal.THRESHOLD_NOT_MET),
    "another province": (other_province, Refusal.THRESHOLD_NOT_MET),
    "anchor with other bytes": (other_bytes, Refusal.BAD_SIGNATURE),
    "anchor that is longer": (longer_target, Refusal.TOO_LARGE),
    "word withheld": (word_withheld, Refusal.MALFORMED_ENVELOPE),
    "oversized": (huge_timestamp, Refusal.TOO_LARGE),
    "nonsense": (nonsense, Refusal.MALFORMED_DOCUMENT),
}


@pytest.mark.parametrize("forgery", FORGERIES)
async def test_forged_root(rooted: Rooted, forgery: str) -> None:
    """root files unsigned, by too few, rolled back, mixed, foreign, swapped, huge — told, and the anchor stays."""
    forge, reason = FORGERIES[forgery]
    await begin(rooted, forge(rooted), "web")
    await rooted.refused(reason)


@pytest.mark.parametrize("forgery", ["unsigned", "another province", "anchor with other bytes"])
async def test_forged_root_on_a_stick(rooted: Rooted, forgery: str) -> None:
    """a stick with a forged folder of the root — it is judged as the network's, and told."""
    forge, reason = FORGERIES[forgery]
    await begin(rooted, forge(rooted), "stick")
    await rooted.refused(reason)


async def test_frozen_root(unplugged: Scene) -> None:
    """the root's files of a month ago, to keep newer ones away — what has run out is told as such."""
    rooted = Rooted(unplugged, age=timedelta(days=31))
    rooted.seed()
    await begin(rooted, rooted.repository, "web")
    await rooted.refused(Refusal.EXPIRED)


@pytest.mark.parametrize("key", [IDENTITY_KEY, ORDER_EIGHT, "ff" * 32])
async def test_anchor_with_a_weak_key(rooted: Rooted, key: str) -> None:
    """the root's holders are made to sign an anchor with a small-order key — the device refuses the anchor itself."""
    weak = codec.encode(ANCHOR).replace(ANCHOR.keys[2].encode(), key.encode())
    rooted.publish(weak)
    await begin(rooted, rooted.repository, "web")
    await rooted.refused(Refusal.MALFORMED_DOCUMENT, kind="anchor")


@pytest.mark.parametrize(
    ("made", "reason"),
    [
        (codec.encode(dataclasses.replace(ANCHOR, scope=UnitPath("vn/93"))), Refusal.OUT_OF_SCOPE),
        (codec.encode(dataclasses.replace(ANCHOR, scope=UnitPath("vn/9"))), Refusal.OUT_OF_SCOPE),
        (b"{}", Refusal.MALFORMED_DOCUMENT),
    ],
)
async def test_anchor_that_cannot_be_used(rooted: Rooted, made: bytes, reason: Refusal) -> None:
    """the root names an anchor of another province, or one like ours in letters only — refused all the same."""
    rooted.publish(made)
    await begin(rooted, rooted.repository, "stick")
    await rooted.refused(reason, kind="anchor")


def test_software_swapped(tmp_path: Path) -> None:
    """newer software of which somebody swapped the bytes — it is not what the root names, and nothing is kept."""
    repository = honest_root()
    custom = {"version": "9.0", "platform": "any"}
    repository.add("software/agent/new.whl", b"true software", custom=custom)
    repository.renew("targets")
    path = repository.file_of("software/agent/new.whl", repository.targets.targets["software/agent/new.whl"])
    repository.files[path] = b"evil software"
    origin = Origin("memory://metadata/", "memory://targets/", MemoryFetcher(repository))  # type: ignore[arg-type]
    root = repository.files["metadata/1.root.json"]
    with pytest.raises(LengthOrHashMismatchError):
        sync(tmp_path / "m", origin, into=tmp_path / "t", root=root, wall=NINE, wish=Wish("agent", "0.1"))
    assert [path for path in (tmp_path / "t").rglob("*") if path.is_file()] == []
