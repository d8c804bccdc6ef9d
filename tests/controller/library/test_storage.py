"""What lies under a digest is whole; what was half written is gone after a start."""

from __future__ import annotations

import errno
import hashlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from controller.library.storage import DigestStorage


async def chunks(*parts: bytes) -> AsyncIterator[bytes]:
    for part in parts:
        yield part


async def test_kept_bytes_lie_under_their_digest(tmp_path: Path) -> None:
    storage = DigestStorage(tmp_path / "media")
    digest, size_bytes = await storage.keep(chunks(b"xin ", b"chao"))
    assert digest == hashlib.sha256(b"xin chao").hexdigest()
    assert size_bytes == 8
    assert storage.holds(digest)
    assert storage.path(digest).read_bytes() == b"xin chao"
    assert storage.path(digest).parent.name == digest[:2]


async def test_keeping_twice_is_one_file(tmp_path: Path) -> None:
    storage = DigestStorage(tmp_path)
    await storage.keep(chunks(b"a"))
    await storage.keep(chunks(b"a"))
    assert len(list(tmp_path.rglob("*.opus"))) == 1
    assert storage.clean() == 0


async def test_source_that_breaks_off_leaves_nothing(tmp_path: Path) -> None:
    storage = DigestStorage(tmp_path)

    async def broken() -> AsyncIterator[bytes]:
        yield b"a"
        raise OSError(errno.ENOSPC, "full")

    with pytest.raises(OSError, match="full"):
        await storage.keep(broken())
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_half_written_files_go_at_start(tmp_path: Path) -> None:
    storage = DigestStorage(tmp_path)
    (tmp_path / "incoming" / "0123.upload").write_bytes(b"half")
    (tmp_path / "incoming" / "4567.opus").write_bytes(b"half")
    assert DigestStorage(tmp_path).clean() == 2
    assert storage.clean() == 0


@pytest.mark.parametrize("digest", ["", "../../etc/passwd", "A" * 64, "a" * 63, "a" * 65])
def test_only_a_digest_is_a_path(tmp_path: Path, digest: str) -> None:
    with pytest.raises(ValueError, match="digest"):
        DigestStorage(tmp_path).path(digest)


def test_free_space_leaves_a_reserve(tmp_path: Path) -> None:
    assert DigestStorage(tmp_path).free_bytes() >= 0
