"""Targets, and what one sync of a device brings."""

from __future__ import annotations

from pathlib import Path

import pytest
from tuf.api.exceptions import (
    DownloadLengthMismatchError,
    ExpiredMetadataError,
    LengthOrHashMismatchError,
    RepositoryError,
)

from edge.updates import client
from edge.updates.software import Wish, version
from simulators.tuf_repository import TufRepository
from tests.edge.updates.conftest import Pole

WISH = Wish("agent", "0.2.0", "linux-armv7l")


def publish(repository: TufRepository, **files: bytes) -> None:
    for name, data in files.items():
        repository.add({"anchor": "anchor.json", "word": "root-word.json"}[name], data)
    repository.renew("targets")


def software(repository: TufRepository, name: str, **custom: str) -> None:
    repository.add(f"software/agent/{name}", name.encode(), custom=custom or None)


def test_target_comes_once(pole: Pole, repository: TufRepository) -> None:
    publish(repository, anchor=b"1")
    assert pole.take("anchor.json") == b"1"
    assert pole.take("anchor.json") == b"1"
    assert not [path for path in pole.asked if path.startswith("targets/")]


def test_target_of_a_new_version_takes_its_place(pole: Pole, repository: TufRepository) -> None:
    publish(repository, anchor=b"1")
    pole.take("anchor.json")
    publish(repository, anchor=b"2")
    assert pole.take("anchor.json") == b"2"
    assert [path.name for path in pole.into.iterdir()] == ["anchor.json"]


@pytest.mark.parametrize("rubbish", [b"2", b"", b"11"])
def test_target_with_other_bytes_is_not_kept(pole: Pole, repository: TufRepository, rubbish: bytes) -> None:
    publish(repository, anchor=b"1")
    repository.files[repository.file_of("anchor.json", repository.targets.targets["anchor.json"])] = rubbish
    with pytest.raises((LengthOrHashMismatchError, DownloadLengthMismatchError)):
        pole.take("anchor.json")
    assert not list(pole.into.iterdir())


def test_target_in_folders_has_one_file(pole: Pole, repository: TufRepository) -> None:
    repository.add("path/to/../../../etc/file", b"x")
    repository.renew("targets")
    assert pole.take("path/to/../../../etc/file") == b"x"
    assert [path.name for path in pole.into.iterdir()] == ["path%2Fto%2F..%2F..%2F..%2Fetc%2Ffile"]


def test_sync_brings_anchor_and_word(pole: Pole, repository: TufRepository) -> None:
    publish(repository, anchor=b"the anchor", word=b"the word")
    synced = pole.sync()
    assert synced.anchor and synced.anchor.read_bytes() == b"the anchor"
    assert synced.word and synced.word.read_bytes() == b"the word"
    assert synced.changed and not pole.sync().changed


def test_sync_of_an_empty_repository_finds_nothing(pole: Pole) -> None:
    synced = pole.sync()
    assert (synced.anchor, synced.word, synced.software, synced.changed) == (None, None, (), False)


def test_sync_names_all_ends(pole: Pole, repository: TufRepository) -> None:
    ends = round(repository.expires.timestamp() * 1000)
    assert pole.sync().expires == dict.fromkeys(("root", "timestamp", "snapshot", "targets"), ends)


def test_sync_judges_by_the_time_it_is_told(pole: Pole, repository: TufRepository) -> None:
    publish(repository, anchor=b"1")
    pole.sync()
    publish(repository, anchor=b"2")
    pole.later(31)
    with pytest.raises(ExpiredMetadataError):
        pole.sync()
    assert (pole.into / "anchor.json").read_bytes() == b"1"


def test_anchor_that_is_too_large_is_not_taken(pole: Pole, repository: TufRepository) -> None:
    publish(repository, anchor=b" " * 9000)
    with pytest.raises(RepositoryError, match="at most 8192"):
        pole.sync()


def test_newest_software_for_this_machine_is_taken(pole: Pole, repository: TufRepository) -> None:
    software(repository, "old", version="0.2.0", platform="linux-armv7l")
    software(repository, "new", version="0.10.0", platform="linux-armv7l")
    software(repository, "newer", version="0.9", platform="any")
    software(repository, "other", version="9.0", platform="linux-x86_64")
    software(repository, "nameless")
    repository.renew("targets")
    synced = pole.sync(wish=WISH)
    assert [one.version for one in synced.software] == ["0.10.0", "0.9", "0.2.0"]
    assert synced.taken and synced.taken.read_bytes() == b"new"
    assert synced.taken.parent == pole.into / "software"


def test_older_software_is_never_taken(pole: Pole, repository: TufRepository) -> None:
    software(repository, "old", version="0.1.9")
    repository.renew("targets")
    assert pole.sync(wish=WISH).taken is None


def test_one_version_waits_at_a_time(pole: Pole, repository: TufRepository) -> None:
    for number in ("1.0", "1.1"):
        software(repository, f"v{number}", version=number)
        repository.renew("targets")
        pole.sync(wish=WISH)
    assert [path.read_bytes() for path in (pole.into / "software").iterdir()] == [b"v1.1"]


def test_versions_compare_by_number() -> None:
    assert version("0.10") > version("0.9.9")
    assert version("1.0.0") == version("1")
    for wrong in ("", "v1", "1.2.3.4.5", "1..2", "-1"):
        with pytest.raises(ValueError, match="not a version"):
            version(wrong)


def test_init_with_the_same_root_keeps_what_followed(pole: Pole, repository: TufRepository, tmp_path: Path) -> None:
    repository.next_root(signers=repository.signers["root"])
    pole.refresh()
    root = tmp_path / "root.json"
    root.write_bytes(repository.files["metadata/1.root.json"])
    client.init(pole.metadata, root)
    assert pole.trusted("root") == repository.files["metadata/2.root.json"]
    assert pole.trusted("targets") == repository.files["metadata/1.targets.json"]


def test_init_forgets_what_was_trusted(pole: Pole, tmp_path: Path) -> None:
    pole.refresh()
    other = TufRepository()
    root = tmp_path / "root.json"
    root.write_bytes(other.files["metadata/1.root.json"])
    client.init(pole.metadata, root)
    pole.repository = other
    pole.refresh()
    assert pole.trusted("targets") == other.files["metadata/1.targets.json"]
