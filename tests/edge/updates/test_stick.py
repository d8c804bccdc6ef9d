"""Files from a USB stick: anything may be on it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from tuf.api.exceptions import DownloadError, DownloadHTTPError

from edge.updates import stick_fetch
from edge.updates.client import from_stick, sync
from edge.updates.stick_fetch import SCHEME, StickFetcher
from simulators.tuf_repository import BEGIN, TufRepository
from tests.edge.updates.conftest import wall

BYTES_MAX = 1000


@pytest.fixture
def stick(tmp_path: Path) -> Path:
    made = tmp_path / "loalang-root"
    (made / "metadata").mkdir(parents=True)
    (made / "metadata" / "timestamp.json").write_bytes(b"{}")
    (tmp_path / "secret").write_bytes(b"the device's own")
    return made


def read(stick: Path, path: str) -> bytes:
    return StickFetcher(stick).download_bytes(f"{SCHEME}{path}", BYTES_MAX)


def test_file_is_read(stick: Path) -> None:
    assert read(stick, "metadata/timestamp.json") == b"{}"


def test_missing_file_ends_a_chain_of_roots(stick: Path) -> None:
    with pytest.raises(DownloadHTTPError) as caught:
        read(stick, "metadata/2.root.json")
    assert caught.value.status_code == 404


@pytest.mark.parametrize(
    "path",
    ["../secret", "metadata/../../secret", "/etc/passwd", "", "metadata/", ".hidden", "a/" * 9 + "a", "a\0b", "é"],
)
def test_names_outside_are_refused(stick: Path, path: str) -> None:
    with pytest.raises(DownloadError) as caught:
        read(stick, path)
    assert not isinstance(caught.value, DownloadHTTPError)


def test_links_are_not_followed(stick: Path) -> None:
    (stick / "metadata" / "1.root.json").symlink_to(stick.parent / "secret")
    (stick / "targets").symlink_to(stick.parent)
    for path in ("metadata/1.root.json", "targets/secret"):
        with pytest.raises(DownloadError):
            read(stick, path)


def test_folder_that_is_a_link_is_not_followed(stick: Path) -> None:
    (stick.parent / "link").symlink_to(stick)
    with pytest.raises(DownloadError):
        read(stick.parent / "link", "metadata/timestamp.json")


def test_pipe_does_not_make_us_wait(stick: Path) -> None:
    os.mkfifo(stick / "metadata" / "1.root.json")
    with pytest.raises(DownloadError, match="ordinary"):
        read(stick, "metadata/1.root.json")


def test_folder_in_place_of_a_file_is_refused(stick: Path) -> None:
    (stick / "metadata" / "1.root.json").mkdir()
    with pytest.raises(DownloadError):
        read(stick, "metadata/1.root.json")


def test_huge_file_is_not_even_begun(stick: Path) -> None:
    with (stick / "metadata" / "1.root.json").open("wb") as file:
        file.truncate(stick_fetch.FILE_BYTES_MAX + 1)
    with pytest.raises(DownloadError, match="sensible size"):
        read(stick, "metadata/1.root.json")


def test_stick_brings_what_the_network_would(tmp_path: Path) -> None:
    repository = TufRepository()
    repository.add("anchor.json", b"the anchor")
    repository.renew("targets")
    for path, data in repository.files.items():
        (tmp_path / "stick" / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "stick" / path).write_bytes(data)
    root = repository.files["metadata/1.root.json"]
    origin = from_stick(tmp_path / "stick")
    synced = sync(tmp_path / "metadata", origin, into=tmp_path / "targets", root=root, wall=wall(BEGIN))
    assert synced.anchor and synced.anchor.read_bytes() == b"the anchor"
