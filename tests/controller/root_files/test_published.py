"""What the root publishes is heard by the controller too; what is damaged there is told, and is never fatal."""

from __future__ import annotations

import json
import os
from hashlib import sha256
from pathlib import Path

import pytest

from controller.root_files.published import PublishedRoot
from protocol import codec
from protocol.denial import Denied, RootWord
from protocol.grants import Anchor
from protocol.limits import ALERT_ENVELOPE_BYTES_MAX
from protocol.units import UnitPath
from simulators.tuf_repository import TufRepository
from tests.controller.signing.authorities import key

PROVINCE = UnitPath("vn/92")
ANCHOR = Anchor(PROVINCE, (key(1).public,), 1, (key(9).public,))


def word(version: int, epoch: int, holder: str = "Ủy ban") -> bytes:
    return codec.encode(RootWord(version, (Denied(PROVINCE, holder, epoch),)))


def publish(folder: Path, repository: TufRepository, **targets: bytes) -> None:
    """As `provisioning root publish` copies it: old files stay, the timestamp comes last."""
    for name, data in targets.items():
        repository.add({"word": "root-word.json", "anchor": "anchor.json"}[name], data)
    repository.renew("targets")
    for name, data in repository.files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)


def put_word(folder: Path, data: bytes, *, name: str = "") -> Path:
    (folder / "targets").mkdir(parents=True, exist_ok=True)
    path = folder / "targets" / f"{name or sha256(data).hexdigest()}.root-word.json"
    path.write_bytes(data)
    return path


def epochs(root: PublishedRoot) -> dict[str, int]:
    return {one.holder: one.epoch for one in root.look().denied}


def test_nothing_is_published(tmp_path: Path) -> None:
    root = PublishedRoot(tmp_path / "root")
    assert root.look() == root.look()
    assert (root.look().denied, root.look().anchor, root.look().damaged) == ((), None, ())


def test_word_and_anchor_of_a_real_repository(tmp_path: Path) -> None:
    repository, root = TufRepository(), PublishedRoot(tmp_path)
    publish(tmp_path, repository, anchor=codec.encode(ANCHOR))
    assert (root.look().anchor, epochs(root)) == (ANCHOR, {})
    assert root.look().anchor_digest == sha256(codec.encode(ANCHOR)).hexdigest()
    publish(tmp_path, repository, word=word(1, 3))
    publish(tmp_path, repository, word=word(2, 4))
    assert epochs(root) == {"Ủy ban": 4}
    assert epochs(PublishedRoot(tmp_path)) == {"Ủy ban": 4}
    assert root.look().damaged == ()


def test_epoch_never_falls(tmp_path: Path) -> None:
    root = PublishedRoot(tmp_path)
    path = put_word(tmp_path, word(7, 5))
    assert epochs(root) == {"Ủy ban": 5}
    put_word(tmp_path, word(8, 2))
    put_word(tmp_path, word(9, 1, "Đài"))
    path.unlink()
    assert epochs(root) == {"Ủy ban": 5, "Đài": 1}


@pytest.mark.parametrize(
    "data", [b"", b"{", b"[" * 50_000, b"\xff\xfe", word(1, 1) + b" " * ALERT_ENVELOPE_BYTES_MAX]
)
def test_damaged_word_is_told(tmp_path: Path, data: bytes) -> None:
    put_word(tmp_path, data)
    put_word(tmp_path, word(1, 2))
    root = PublishedRoot(tmp_path)
    assert (epochs(root), root.look().damaged) == ({"Ủy ban": 2}, ("root-word.json",))


def test_word_of_another_name_is_damaged(tmp_path: Path) -> None:
    put_word(tmp_path, word(1, 2), name="0" * 64)
    assert PublishedRoot(tmp_path).look().damaged == ("root-word.json",)


def test_word_that_is_put_right_is_read(tmp_path: Path) -> None:
    good = word(1, 2)
    path = put_word(tmp_path, b"{", name=sha256(good).hexdigest())
    root = PublishedRoot(tmp_path)
    assert root.look().damaged
    path.write_bytes(good)
    os.utime(path, ns=(1, 1))  # also where the disk counts time in large steps
    assert (root.look().damaged, epochs(root)) == ((), {"Ủy ban": 2})


def test_things_that_are_no_files(tmp_path: Path) -> None:
    names = [f"{number}" * 64 for number in range(3)]
    (tmp_path / "targets" / f"{names[0]}.root-word.json").mkdir(parents=True)
    os.mkfifo(tmp_path / "targets" / f"{names[1]}.root-word.json")
    (tmp_path / "targets" / f"{names[2]}.root-word.json").symlink_to(tmp_path / "nowhere")
    assert PublishedRoot(tmp_path).look().damaged == ("root-word.json",)


def test_missing_target_is_damage(tmp_path: Path) -> None:
    publish(tmp_path, TufRepository(), anchor=codec.encode(ANCHOR), word=word(1, 1))
    for path in (tmp_path / "targets").iterdir():
        path.unlink()
    assert PublishedRoot(tmp_path).look().damaged == ("root-word.json", "anchor.json")


@pytest.mark.parametrize(
    "signed",
    [None, [], 7, {"targets": []}, {"targets": {"anchor.json": 1}},
     {"targets": {"anchor.json": {"hashes": {"sha256": "../../etc/passwd"}}}}],
)  # fmt: skip
def test_list_that_cannot_be_read(tmp_path: Path, signed: object) -> None:
    (tmp_path / "metadata").mkdir()
    (tmp_path / "metadata" / "3.targets.json").write_text(json.dumps({"signed": signed}))
    assert PublishedRoot(tmp_path).look().anchor is None
    assert PublishedRoot(tmp_path).look().damaged == ()
