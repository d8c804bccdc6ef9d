"""What the device's adapters read: answers of the network, cards that rot, sticks, and its own files."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import aiomqtt

from edge.adapters.event_codec import decode_line, encode_line
from edge.adapters.http_fetch import _Answer
from edge.adapters.media_store import DiskMediaStore
from edge.adapters.mqtt_link import Broker, MqttLink
from edge.adapters.mqtt_session import BYTES_MAX, Arrivals, leaf_of
from edge.adapters.usb_stick import BUNDLE, UsbStick
from edge.config import ConfigError, pinned_anchor, read_config
from edge.core.events import (
    AttestationReceived,
    Booted,
    ClockRead,
    ClockSource,
    EnvelopeReceived,
    ParcelReceived,
    Route,
    SoundEnded,
    StopPressed,
)
from edge.ports import FetchError
from edge.reporter import Confirmations
from protocol import codec
from protocol.bulletin import MediaRef
from protocol.clock import ClockTrust, MonoMs, Now, WallMs
from protocol.document import Kind
from protocol.limits import PARCEL_BYTES_MAX
from protocol.report import EndReason
from protocol.units import UnitPath
from tests.fuzz import material
from tests.fuzz.target import Target
from tests.protocol.people import ANCHOR, NOW

_MODULES = ("protocol", "edge")
_SHARED = "/dev/shm"  # files that are never synced to a disk: thousands of small databases are written


@contextlib.contextmanager
def folder() -> Iterator[Path]:
    """A directory of its own, in memory where the system has such a place."""
    with TemporaryDirectory(dir=_SHARED if Path(_SHARED).is_dir() else None) as name:
        yield Path(name)


def http_answer(data: bytes) -> None:
    """An answer to a poll: events of bytes, and a cursor that can be asked with again."""
    try:
        answer = _Answer.read(data, before="c1")
    except FetchError:
        return
    assert answer.cursor != "c1"
    answer.cursor.encode()
    for event in answer.events():
        assert isinstance(event, EnvelopeReceived | ParcelReceived)
        assert isinstance(event.data, bytes)


def mqtt_message(data: bytes) -> None:
    """A message on any topic the broker likes: cut to its limit, and an event or nothing."""
    name, _, payload = data.partition(b"\n")
    try:
        message = aiomqtt.Message(name.decode("utf-8", "replace"), payload, 1, False, 1, None)
    except ValueError:
        return
    arrivals = Arrivals()
    arrivals.put_nowait(message)
    kept = arrivals.get_nowait()
    limit = BYTES_MAX.get(leaf_of(kept), 0)
    assert len(kept.payload) <= limit + 1
    link = MqttLink(Broker("nowhere", 1, "c07", ""), UnitPath("vn/92/c07"), confirmed=Confirmations().tell)
    event = link._event_of(kept)
    assert event is None or event.data == payload[: limit + 1]


def journal_line(data: bytes) -> None:
    """A journal's line gives an event as it was written, or ValueError."""
    try:
        now, event = decode_line(data)
    except ValueError:
        return
    assert decode_line(encode_line(now, event)) == (now, event)
    hash(event)


def device_file(data: bytes) -> None:
    """`device.json`: settings, or a sentence that says what to do."""
    with folder() as directory:
        (directory / "device.json").write_bytes(data)
        (directory / "anchor.json").write_bytes(codec.encode(ANCHOR))
        with contextlib.suppress(ConfigError):
            pinned_anchor(read_config(directory / "device.json"))


def anchor_file(data: bytes) -> None:
    """The anchor beside it."""
    with folder() as directory:
        (directory / "device.json").write_bytes(_device_files()[0])
        (directory / "anchor.json").write_bytes(data)
        with contextlib.suppress(ConfigError):
            pinned_anchor(read_config(directory / "device.json"))


def stick(data: bytes) -> None:
    """The bundle on a stick comes as it is, one byte above the limit at most; a medium only when it is the one."""
    media = MediaRef(hashlib.sha256(data).hexdigest(), max(1, len(data)), 1000)
    other = MediaRef("0" * 64, max(1, len(data)), 1000)
    with folder() as directory:
        (directory / "usb" / "media").mkdir(parents=True)
        (directory / "usb" / BUNDLE).write_bytes(data)
        for name in (media.digest, other.digest):
            (directory / "usb" / "media" / name).write_bytes(data)
        event = asyncio.run(_bundle_and_media(directory, media, other))
    assert event == ParcelReceived(data[: PARCEL_BYTES_MAX + 1], Route.USB)


async def _bundle_and_media(directory: Path, media: MediaRef, other: MediaRef) -> object:
    found = UsbStick(directory / "usb", period_s=0.01)
    store = DiskMediaStore(directory / "store", reserve_bytes=0)
    for wanted in (media, other):
        sink = store.sink(wanted)
        with contextlib.suppress(FetchError):
            await found.copy(wanted, sink)
        await sink.close()
    assert store.digests() <= {media.digest}, "a medium that is not what its name says"
    events = found.events()
    try:
        return await anext(events)
    finally:
        await events.aclose()  # type: ignore[attr-defined]


_ENVELOPES = tuple(material.spoken()[kind].pack() for kind in (Kind.GRANT, Kind.SCHEDULE))


def _answers() -> list[bytes]:
    parcel, alert = material.parcel().decode(), material.spoken()[Kind.ALERT].pack().decode()
    whole = material.json_seed({"cursor": "c2", "parcels": [parcel], "alerts": [alert]})
    return [whole, material.json_seed({"cursor": "\ud800"}), b'{"cursor":"c1"}', *material.FOREIGN]


def _messages() -> list[bytes]:
    leaves = (
        ("doc", material.parcel()),
        ("alert", material.spoken()[Kind.ALERT].pack()),
        ("live", material.segment()),
    )
    found = [f"loalang/v1/u/vn/92/{leaf}\n".encode() + payload for leaf, payload in leaves]
    return [*found, b"doc\n", b"/\n", b"+/#\nx", b"\xff\n" + material.segment()]


def _lines() -> list[bytes]:
    now = Now(MonoMs(5), WallMs(NOW), ClockTrust.NONE)
    events = (
        Booted("b", b"{}", _ENVELOPES, ("0" * 64,), False),
        EnvelopeReceived(_ENVELOPES[0], Route.ALERT),
        AttestationReceived(b"x", "0" * 32, MonoMs(3)),
        ClockRead(ClockSource.RDS, WallMs(NOW)),
        SoundEnded("k", WallMs(NOW), WallMs(NOW), -900, EndReason.COMPLETE, -800),
        StopPressed(),
    )
    lines = [encode_line(now, one) for one in events]
    return [*lines, b'["skipped",3]\n', b"[" * 5000, *material.FOREIGN]


def _device_files() -> list[bytes]:
    whole = {
        "device": "c07",
        "place": material.PLACE,
        "controller_url": "http://127.0.0.1:8080",
        "mqtt_host": "127.0.0.1",
        "mqtt_port": 1883,
        "token": "secret",
        "anchor": "anchor.json",
        "usb": "usb",
    }
    odd = {**whole, "controller_url": "http://[", "data": "\0"}
    return [material.json_seed(whole), material.json_seed(odd), b"[" * 60_000, *material.FOREIGN]


def _of(
    run: Callable[[bytes], None], seeds: Callable[[], list[bytes]], *, runs: int = 4_000, most: int = 60
) -> Target:
    return Target(run, seeds, _MODULES, runs=runs, examples=most, size_max=70_000)


TARGETS = {
    "http_answer": _of(http_answer, _answers),
    "mqtt_message": _of(mqtt_message, _messages),
    "journal_line": _of(journal_line, _lines),
    "device_file": _of(device_file, _device_files, runs=2_000),
    "anchor_file": _of(anchor_file, lambda: [codec.encode(ANCHOR), *material.FOREIGN], runs=2_000),
    "stick": _of(stick, material.parcels, runs=300, most=20),
}
