"""What every MediaStore promises, tried on a real directory and a real full disk."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from edge.adapters.media_store import DiskMediaStore
from edge.core.events import MediaLost
from edge.ports import FetchError, PortError, StorageFullError
from protocol.bulletin import MediaRef
from tests.contracts.full_disk import small_disk

SOUND = bytes(range(256)) * 1024
MEDIA = MediaRef(hashlib.sha256(SOUND).hexdigest(), len(SOUND), 1000)


def store(directory: Path, *, reserve_bytes: int = 0) -> DiskMediaStore:
    return DiskMediaStore(directory / "media", reserve_bytes=reserve_bytes)


async def bring(media_store: DiskMediaStore, sound: bytes = SOUND, *, media: MediaRef = MEDIA) -> None:
    sink = media_store.sink(media)
    try:
        await sink.write(sound)
        await sink.finish()
    finally:
        await sink.close()


async def offset(media_store: DiskMediaStore, media: MediaRef = MEDIA) -> int:
    sink = media_store.sink(media)
    await sink.close()
    return sink.offset_bytes


async def test_whole_medium_is_stored(tmp_path: Path) -> None:
    media_store = store(tmp_path)
    await bring(media_store)
    assert media_store.digests() == {MEDIA.digest}
    path = media_store.path(MEDIA.digest)
    assert path is not None
    assert path.read_bytes() == SOUND


async def test_stored_medium_is_there_after_restart(tmp_path: Path) -> None:
    await bring(store(tmp_path))
    assert store(tmp_path).digests() == {MEDIA.digest}


async def test_half_a_medium_is_not_shown(tmp_path: Path) -> None:
    media_store = store(tmp_path)
    with pytest.raises(FetchError) as failed:
        await bring(media_store, SOUND[:1000])
    assert not failed.value.damaged
    assert media_store.digests() == frozenset()
    assert media_store.path(MEDIA.digest) is None


async def test_download_goes_on_after_restart(tmp_path: Path) -> None:
    sink = store(tmp_path).sink(MEDIA)
    await sink.write(SOUND[:1000])
    await sink.close()
    media_store = store(tmp_path)
    sink = media_store.sink(MEDIA)
    assert sink.offset_bytes == 1000
    await sink.write(SOUND[1000:])
    await sink.finish()
    await sink.close()
    assert media_store.digests() == {MEDIA.digest}


async def test_torn_part_is_thrown_away(tmp_path: Path) -> None:
    """After a power cut the end of a half medium may be zeros."""
    (tmp_path / "media").mkdir()
    (tmp_path / "media" / f"{MEDIA.digest}.part").write_bytes(SOUND[:500] + bytes(500))
    media_store = store(tmp_path)
    with pytest.raises(FetchError) as failed:
        await bring(media_store, SOUND[1000:])
    assert failed.value.damaged
    await bring(media_store)
    assert media_store.digests() == {MEDIA.digest}


async def test_part_larger_than_the_medium(tmp_path: Path) -> None:
    (tmp_path / "media").mkdir()
    (tmp_path / "media" / f"{MEDIA.digest}.part").write_bytes(SOUND * 2)
    await bring(store(tmp_path))


async def test_damaged_bytes_are_refused(tmp_path: Path) -> None:
    media_store = store(tmp_path)
    with pytest.raises(FetchError) as failed:
        await bring(media_store, bytes(len(SOUND)))
    assert failed.value.damaged
    assert await offset(media_store) == 0


async def test_cut_off_file_is_not_believed(tmp_path: Path) -> None:
    media_store = store(tmp_path)
    await bring(media_store)
    path = media_store.path(MEDIA.digest)
    assert path is not None
    path.write_bytes(SOUND[:-1])
    assert store(tmp_path).digests() == frozenset()


async def test_rotten_file_is_found(tmp_path: Path) -> None:
    media_store = store(tmp_path)
    await bring(media_store)
    path = media_store.path(MEDIA.digest)
    assert path is not None
    path.write_bytes(b"x" + SOUND[1:])
    assert [event async for event in media_store.check()] == [MediaLost(MEDIA.digest)]
    assert media_store.digests() == frozenset()


async def test_sound_file_passes_the_check(tmp_path: Path) -> None:
    media_store = store(tmp_path)
    await bring(media_store)
    assert [event async for event in media_store.check()] == []


async def test_deleted_medium_is_gone(tmp_path: Path) -> None:
    media_store = store(tmp_path)
    await bring(media_store)
    media_store.delete(MEDIA.digest)
    media_store.delete("0" * 64)
    assert media_store.digests() == frozenset()
    assert list((tmp_path / "media").iterdir()) == []


async def test_one_download_at_a_time(tmp_path: Path) -> None:
    media_store = store(tmp_path)
    sink = media_store.sink(MEDIA)
    with pytest.raises(PortError):
        media_store.sink(MEDIA)
    await sink.close()
    await media_store.sink(MEDIA).close()


async def test_reserve_is_never_used(tmp_path: Path) -> None:
    media_store = store(tmp_path, reserve_bytes=2**60)
    assert media_store.free_bytes() == 0
    with pytest.raises(StorageFullError):
        media_store.sink(MEDIA)


def test_foreign_files_are_removed(tmp_path: Path) -> None:
    (tmp_path / "media").mkdir()
    (tmp_path / "media" / "virus.exe").write_bytes(b"x")
    store(tmp_path)
    assert list((tmp_path / "media").iterdir()) == []


async def test_full_disk_keeps_what_came(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", size_bytes=160 * 1024) as disk:
        media_store = DiskMediaStore(disk / "media", reserve_bytes=0, free=lambda _: 2**40)
        sink = media_store.sink(MEDIA)
        await sink.write(SOUND[:100_000])
        with pytest.raises(StorageFullError):
            await sink.write(SOUND[100_000:])
        assert sink.offset_bytes == 100_000
        await sink.close()
        assert await offset(media_store) == 100_000


async def test_halves_make_room_for_others(tmp_path: Path) -> None:
    old = MediaRef("a" * 64, 100_000, 1000)
    with small_disk(tmp_path / "disk", size_bytes=320 * 1024) as disk:
        media_store = DiskMediaStore(disk / "media", reserve_bytes=0)
        sink = media_store.sink(old)
        await sink.write(bytes(90_000))
        await sink.close()
        await bring(media_store)
        assert media_store.digests() == {MEDIA.digest}
        media_store.delete(MEDIA.digest)
        assert await offset(media_store, old) == 0
