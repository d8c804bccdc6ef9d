"""A stick in the device: what it may bring, and what it may not."""

from __future__ import annotations

import asyncio
import ctypes
import hashlib
import os
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest

from edge.adapters.media_store import DiskMediaStore
from edge.adapters.usb_stick import StickFirstFetcher, UsbStick
from edge.core.events import Event, ParcelReceived, Route
from edge.ports import FetchError
from protocol.bulletin import MediaRef
from protocol.limits import PARCEL_BYTES_MAX
from tests.edge.bench import HandFetcher

SOUND = bytes(range(256)) * 3000
MEDIA = MediaRef(hashlib.sha256(SOUND).hexdigest(), len(SOUND), 1000)


@pytest.fixture
def mount(tmp_path: Path) -> Path:
    (tmp_path / "usb").mkdir()
    return tmp_path / "usb"


@pytest.fixture
def store(tmp_path: Path) -> DiskMediaStore:
    return DiskMediaStore(tmp_path / "store", reserve_bytes=0)


@pytest.fixture
async def events(mount: Path) -> AsyncIterator[AsyncIterator[Event]]:
    made = UsbStick(mount, period_s=0.01).events()
    yield made
    await made.aclose()  # type: ignore[attr-defined]


async def next_of(events: AsyncIterator[Event]) -> Event:
    async with asyncio.timeout(5):
        return await anext(events)


async def silent(events: AsyncIterator[Event]) -> bool:
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.1):
            await anext(events)
    return True


def put_in(mount: Path, *, sound: bytes = SOUND) -> None:
    (mount / "media").mkdir(exist_ok=True)
    (mount / "media" / MEDIA.digest).write_bytes(sound)


async def test_parcel_of_a_stick_is_read(mount: Path, events: AsyncIterator[Event]) -> None:
    (mount / "loalang-bundle.json").write_bytes(b"parcel")
    assert await next_of(events) == ParcelReceived(b"parcel", Route.USB)


async def test_stick_is_read_once(mount: Path, events: AsyncIterator[Event]) -> None:
    (mount / "loalang-bundle.json").write_bytes(b"parcel")
    await next_of(events)
    assert await silent(events)


async def test_stick_put_in_later_is_read(mount: Path, events: AsyncIterator[Event]) -> None:
    waiting = asyncio.ensure_future(next_of(events))
    await asyncio.sleep(0.03)
    (mount / "new").write_bytes(b"later")
    (mount / "new").rename(mount / "loalang-bundle.json")
    assert await waiting == ParcelReceived(b"later", Route.USB)


async def test_huge_bundle_is_cut_off(mount: Path, events: AsyncIterator[Event]) -> None:
    with (mount / "loalang-bundle.json").open("wb") as file:
        file.truncate(PARCEL_BYTES_MAX * 100)
    event = await next_of(events)
    assert isinstance(event, ParcelReceived)
    assert len(event.data) == PARCEL_BYTES_MAX + 1


async def test_link_is_not_followed(mount: Path, tmp_path: Path, events: AsyncIterator[Event]) -> None:
    (tmp_path / "secret").write_bytes(b"secret")
    (mount / "loalang-bundle.json").symlink_to(tmp_path / "secret")
    assert await silent(events)


async def test_pipe_is_not_waited_for(mount: Path, events: AsyncIterator[Event]) -> None:
    os.mkfifo(mount / "loalang-bundle.json")
    assert await silent(events)


async def bring(fetcher: StickFirstFetcher, store: DiskMediaStore) -> None:
    sink = store.sink(MEDIA)
    try:
        await fetcher.fetch(MEDIA, sink)
    finally:
        await sink.close()


async def test_wanted_medium_comes_from_the_stick(mount: Path, store: DiskMediaStore) -> None:
    put_in(mount)
    network = HandFetcher()
    await bring(StickFirstFetcher(UsbStick(mount), network), store)
    assert store.digests() == {MEDIA.digest}
    assert network.order == []


async def test_half_a_download_is_completed(mount: Path, store: DiskMediaStore) -> None:
    put_in(mount)
    sink = store.sink(MEDIA)
    await sink.write(SOUND[:1000])
    await sink.close()
    await bring(StickFirstFetcher(UsbStick(mount), HandFetcher()), store)
    assert store.digests() == {MEDIA.digest}


@pytest.mark.parametrize("sound", [None, SOUND[:-1], b""])
async def test_other_medium_comes_from_the_network(mount: Path, store: DiskMediaStore, sound: bytes | None) -> None:
    if sound is not None:
        put_in(mount, sound=sound)
    network = HandFetcher()
    with pytest.raises(FetchError):
        await bring(StickFirstFetcher(UsbStick(mount), network), store)
    assert network.order == [MEDIA.digest]


async def test_damaged_medium_is_then_left_to_the_network(mount: Path, store: DiskMediaStore) -> None:
    put_in(mount, sound=bytes(len(SOUND)))
    network = HandFetcher()
    fetcher = StickFirstFetcher(UsbStick(mount), network)
    with pytest.raises(FetchError) as failed:
        await bring(fetcher, store)
    assert failed.value.damaged
    with pytest.raises(FetchError):
        await bring(fetcher, store)
    assert network.order == [MEDIA.digest]


async def test_medium_behind_a_link_is_left(mount: Path, tmp_path: Path, store: DiskMediaStore) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / MEDIA.digest).write_bytes(SOUND)
    (mount / "media").symlink_to(tmp_path / "elsewhere")
    network = HandFetcher()
    with pytest.raises(FetchError):
        await bring(StickFirstFetcher(UsbStick(mount), network), store)
    assert network.order == [MEDIA.digest]


async def test_spoilt_medium_is_asked_for_again_of_another_stick(mount: Path, store: DiskMediaStore) -> None:
    put_in(mount, sound=bytes(len(SOUND)))
    stick = UsbStick(mount, period_s=0.01)
    fetcher = StickFirstFetcher(stick, HandFetcher())
    with pytest.raises(FetchError):
        await bring(fetcher, store)
    put_in(mount)
    (mount / "loalang-bundle.json").write_bytes(b"another")
    events = stick.events()
    await next_of(events)
    await bring(fetcher, store)
    assert store.digests() == {MEDIA.digest}
    await events.aclose()  # type: ignore[attr-defined]


class PullingSink:
    """Pulls the stick out, or does something else to it, after the first bytes."""

    def __init__(self, then: Callable[[], object]) -> None:
        self.offset_bytes, self.finished, self._then = 0, False, then

    async def write(self, data: bytes) -> None:
        self.offset_bytes += len(data)
        self._then()

    async def finish(self) -> None:
        self.finished = True

    async def close(self) -> None: ...


@pytest.mark.parametrize("change", ["gone", "shorter", "link"])
async def test_stick_pulled_out_in_the_middle(mount: Path, tmp_path: Path, change: str) -> None:
    put_in(mount)
    path = mount / "media" / MEDIA.digest

    def pull() -> None:
        path.unlink(missing_ok=True)
        if change == "shorter":
            path.write_bytes(SOUND[:5])
        elif change == "link":
            path.symlink_to(tmp_path / "elsewhere")

    network, sink = HandFetcher(), PullingSink(pull)
    fetcher = StickFirstFetcher(UsbStick(mount), network)
    with pytest.raises(FetchError):
        await fetcher.fetch(MEDIA, sink)
    assert not sink.finished
    await fetcher.fetch(MEDIA, sink)
    assert network.order == [MEDIA.digest], "the network brings the rest"


async def test_no_more_is_taken_than_a_stick_may_bring(mount: Path, store: DiskMediaStore) -> None:
    put_in(mount)
    network = HandFetcher()
    with pytest.raises(FetchError):
        await bring(StickFirstFetcher(UsbStick(mount, bytes_max=len(SOUND) - 1), network), store)
    assert network.order == [MEDIA.digest]


@pytest.mark.slow
async def test_hundred_thousand_files(mount: Path, store: DiskMediaStore) -> None:
    """None of them is listed: what is wanted is opened by its name."""
    for number in range(100_000):
        os.close(os.open(mount / f"IMG_{number:06d}.JPG", os.O_CREAT | os.O_WRONLY))
    put_in(mount)
    (mount / "loalang-bundle.json").write_bytes(b"parcel")
    began = time.monotonic()
    events = UsbStick(mount).events()
    assert await next_of(events) == ParcelReceived(b"parcel", Route.USB)
    await bring(StickFirstFetcher(UsbStick(mount), HandFetcher()), store)
    assert time.monotonic() - began < 1
    await events.aclose()  # type: ignore[attr-defined]


@pytest.fixture
def hanging(tmp_path: Path) -> Iterator[Path]:
    """A filesystem in user space whose other end never answers: whoever looks at it hangs in the kernel."""
    at = tmp_path / "fuse"
    at.mkdir()
    libc = ctypes.CDLL(None, use_errno=True)
    try:
        line = os.open("/dev/fuse", os.O_RDWR)
    except OSError:
        pytest.skip("no filesystem in user space here")
    options = f"fd={line},rootmode=40000,user_id=0,group_id=0".encode()
    if libc.mount(b"hanging", bytes(at), b"fuse", 0, options):
        os.close(line)
        pytest.skip("a filesystem in user space can only be mounted by root")
    yield at
    os.close(line)  # lets everybody go who still hangs
    libc.umount2(bytes(at), 2)


async def test_stick_that_never_answers(hanging: Path, store: DiskMediaStore) -> None:
    network = HandFetcher()
    stick = UsbStick(hanging, period_s=0.01, patience_s=0.05)
    events = stick.events()
    assert await silent(events)
    with pytest.raises(FetchError):
        await asyncio.wait_for(bring(StickFirstFetcher(stick, network), store), 5)
    assert network.order == [MEDIA.digest]
    await events.aclose()  # type: ignore[attr-defined]
