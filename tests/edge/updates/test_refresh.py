"""What a repository, or whoever has taken it, may and may not make a client believe."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tuf.api.exceptions import (
    BadVersionNumberError,
    DownloadHTTPError,
    DownloadLengthMismatchError,
    ExpiredMetadataError,
    LengthOrHashMismatchError,
    RepositoryError,
    UnsignedMetadataError,
)
from tuf.api.metadata import Key, Metadata, Root

from edge.updates.updater import TIMESTAMP_BYTES_MAX
from simulators.tuf_repository import TufRepository
from tests.edge.updates.conftest import TOP, Pole


def test_first_refresh_brings_four_files(pole: Pole) -> None:
    pole.refresh()
    names = ["metadata/2.root.json", "metadata/timestamp.json", "metadata/1.snapshot.json", "metadata/1.targets.json"]
    assert pole.asked == names
    assert all((pole.metadata / f"{role}.json").is_file() for role in TOP)


def test_second_refresh_asks_only_for_the_time(pole: Pole) -> None:
    pole.refresh()
    pole.refresh()
    assert pole.asked == ["metadata/2.root.json", "metadata/timestamp.json"]


def test_metadata_are_kept_byte_for_byte(pole: Pole, repository: TufRepository) -> None:
    # Unknown fields, order and spaces are the repository's; a client that writes them anew breaks signatures.
    repository.targets.unrecognized_fields["x-note"] = {"b": 1, "a": "ạ"}
    repository.renew("targets")
    pole.refresh()
    for role, served in (("timestamp", "timestamp"), ("snapshot", "2.snapshot"), ("targets", "2.targets")):
        assert pole.trusted(role) == repository.files[f"metadata/{served}.json"]
    assert pole.trusted("root") == repository.files["metadata/1.root.json"]


def test_trusted_root_is_a_file_and_no_link(pole: Pole) -> None:
    pole.refresh()
    assert not (pole.metadata / "root.json").is_symlink()


def test_repository_without_consistent_snapshots(tmp_path: Path) -> None:
    repository = TufRepository(consistent=False)
    repository.add("anchor.json", b"{}")
    repository.renew("targets")
    pole = Pole(repository, tmp_path)
    assert pole.take("anchor.json") == b"{}"
    assert pole.asked[1:] == [f"metadata/{role}.json" for role in TOP[1:]] + ["targets/anchor.json"]


def test_root_chain_is_walked_to_its_end(pole: Pole, repository: TufRepository) -> None:
    for _ in range(5):
        old = repository.signers["root"]
        repository.next_root(signers=[*old, *repository.set_keys("root", 2)])
    pole.refresh()
    assert json.loads(pole.trusted("root"))["signed"]["version"] == 6


def test_root_without_the_old_holders_is_refused(pole: Pole, repository: TufRepository) -> None:
    repository.next_root(signers=repository.set_keys("root", 1))
    with pytest.raises(UnsignedMetadataError):
        pole.refresh()
    assert pole.trusted("root") == repository.files["metadata/1.root.json"]


def test_root_without_its_new_holders_is_refused(pole: Pole, repository: TufRepository) -> None:
    old = repository.signers["root"]
    repository.set_keys("root", 2)
    repository.next_root(signers=old)
    with pytest.raises(UnsignedMetadataError):
        pole.refresh()


def test_root_that_skips_a_version_is_refused(pole: Pole, repository: TufRepository) -> None:
    repository.root.version = 3
    data = repository.publish("root")
    repository.files["metadata/2.root.json"] = data
    with pytest.raises(BadVersionNumberError):
        pole.refresh()


def test_chain_that_breaks_keeps_the_last_good_root(pole: Pole, repository: TufRepository) -> None:
    repository.next_root(signers=repository.signers["root"])
    repository.next_root(signers=[])
    with pytest.raises(UnsignedMetadataError):
        pole.refresh()
    assert pole.trusted("root") == repository.files["metadata/2.root.json"]


def test_threshold_counts_distinct_holders(tmp_path: Path) -> None:
    repository = TufRepository()
    first, *_ = repository.set_keys("targets", 3, threshold=2)
    repository.next_root(signers=repository.signers["root"])
    repository.signers["targets"] = [first]
    repository.renew("targets")
    pole = Pole(repository, tmp_path)
    with pytest.raises(UnsignedMetadataError):
        pole.refresh()


def test_one_key_under_two_names_counts_once(pole: Pole, repository: TufRepository) -> None:
    # tuf.api counts key ids; the same key under another id would be a second holder.
    (signer,) = repository.signers["targets"]
    key = signer.public_key
    again = Key.from_dict("ff" * 32, key.to_dict())
    repository.root.add_key(again, "targets")
    repository.root.roles["targets"].threshold = 2
    repository.next_root(signers=repository.signers["root"])
    with pytest.raises(RepositoryError, match="lists one key twice"):
        pole.refresh()


def test_key_of_small_order_is_refused(pole: Pole, repository: TufRepository) -> None:
    # OpenSSL accepts a signature under the identity for any message.
    identity = {"keytype": "ed25519", "scheme": "ed25519", "keyval": {"public": "01" + "00" * 31}}
    repository.root.add_key(Key.from_dict("ee" * 32, identity), "targets")
    repository.next_root(signers=repository.signers["root"])
    with pytest.raises(RepositoryError, match="small order"):
        pole.refresh()


@pytest.mark.parametrize("role", TOP[1:])
def test_revoked_key_no_longer_counts(pole: Pole, repository: TufRepository, role: str) -> None:
    pole.refresh()
    old = repository.signers[role]
    repository.set_keys(role, 1)
    repository.next_root(signers=repository.signers["root"])
    repository.signers[role] = old
    repository.renew("targets")
    with pytest.raises(UnsignedMetadataError):
        pole.refresh()


@pytest.mark.parametrize("role", TOP)
def test_expired_metadata_are_refused(pole: Pole, repository: TufRepository, role: str) -> None:
    later = repository.expires.replace(year=repository.expires.year + 1)
    for name, signed in repository.signed.items():
        signed.expires = repository.expires if name == role else later
    repository.next_root(signers=repository.signers["root"])
    repository.renew("targets")
    pole.refresh()
    pole.later(31)
    with pytest.raises(ExpiredMetadataError):
        pole.updater().refresh()


def test_expired_roots_on_the_way_do_not_matter(pole: Pole, repository: TufRepository) -> None:
    repository.expires = repository.expires.replace(year=repository.expires.year + 1)
    for signed in repository.signed.values():
        signed.expires = repository.expires
    repository.next_root(signers=repository.signers["root"])
    repository.renew("targets")
    pole.later(60)
    pole.refresh()


@pytest.mark.parametrize("role", ["timestamp", "snapshot", "targets"])
def test_older_metadata_are_refused(pole: Pole, repository: TufRepository, role: str) -> None:
    repository.renew("targets")
    pole.refresh()
    before = {name: pole.trusted(name) for name in TOP}
    repository.signed[role].version -= 1
    repository.publish(role)
    if role != "timestamp":
        repository.timestamp.version += 1
        repository.snapshot.version += role == "targets"
        for name in ("snapshot", "timestamp"):
            repository.publish(name)
    with pytest.raises(BadVersionNumberError):
        pole.refresh()
    assert pole.trusted(role) == before[role]


def test_snapshot_that_forgets_a_role_is_refused(pole: Pole, repository: TufRepository) -> None:
    pole.refresh()
    del repository.snapshot.meta["targets.json"]
    repository.renew()
    with pytest.raises(RepositoryError, match="missing info"):
        pole.refresh()


def test_parts_of_two_states_do_not_mix(pole: Pole, repository: TufRepository) -> None:
    repository.renew("targets")
    repository.files["metadata/2.targets.json"] = repository.files["metadata/1.targets.json"]
    with pytest.raises(BadVersionNumberError):
        pole.refresh()


def test_snapshot_other_than_the_time_names_is_refused(tmp_path: Path) -> None:
    repository = TufRepository(hashes=True)
    repository.snapshot.unrecognized_fields["x"] = "y"
    repository.files["metadata/1.snapshot.json"] = Metadata(repository.snapshot).to_bytes()
    with pytest.raises(LengthOrHashMismatchError):
        Pole(repository, tmp_path).refresh()


def test_same_version_with_other_content_is_not_taken(pole: Pole, repository: TufRepository) -> None:
    pole.refresh()
    before = pole.trusted("timestamp")
    repository.timestamp.unrecognized_fields["x"] = "y"
    repository.publish("timestamp")
    pole.refresh()
    assert pole.trusted("timestamp") == before


def test_endless_file_is_cut_off(pole: Pole, repository: TufRepository) -> None:
    repository.files["metadata/timestamp.json"] += b" " * TIMESTAMP_BYTES_MAX
    with pytest.raises(DownloadLengthMismatchError):
        pole.refresh()


def test_number_that_ran_ahead_is_taken_back_by_new_keys(pole: Pole, repository: TufRepository) -> None:
    # Whoever stole the online keys may set versions to the end of the scale; a rotation begins them anew.
    repository.timestamp.version = repository.snapshot.version = 2**31
    repository.renew()
    pole.refresh()
    for role in ("timestamp", "snapshot"):
        repository.set_keys(role, 1)
        repository.signed[role].version = 1
    repository.next_root(signers=repository.signers["root"])
    repository.renew("targets")
    pole.refresh()
    assert json.loads(pole.trusted("snapshot"))["signed"]["version"] == 2


def test_missing_file_is_an_error(pole: Pole, repository: TufRepository) -> None:
    del repository.files["metadata/1.targets.json"]
    with pytest.raises(DownloadHTTPError):
        pole.refresh()


def test_anything_instead_of_metadata_is_an_error(pole: Pole, repository: TufRepository) -> None:
    for rubbish in (b"", b"[]", b'{"signed": 1}', b"\xff\xfe", b"[" * 10_000):
        repository.files["metadata/timestamp.json"] = rubbish
        with pytest.raises(RepositoryError):
            pole.refresh()


def test_damaged_files_on_the_card_are_fetched_again(pole: Pole, repository: TufRepository) -> None:
    pole.refresh()
    for role in TOP[1:]:
        (pole.metadata / f"{role}.json").write_bytes(b"\0" * 100)
    pole.refresh()
    assert pole.trusted("targets") == repository.files["metadata/1.targets.json"]


def test_enrolled_root_is_where_the_chain_begins(pole: Pole, repository: TufRepository) -> None:
    repository.next_root(signers=repository.signers["root"])
    pole.sync()
    other = Metadata(Root(expires=repository.expires)).to_bytes()
    (pole.metadata / "root.json").write_bytes(other)
    pole.sync()
    assert pole.trusted("root") == repository.files["metadata/2.root.json"]
