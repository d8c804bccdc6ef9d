"""A USB stick with anything on it: it is read with care, stored through the same checks, and never executed."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import pytest

from protocol.bulletin import Explicit, MediaRef
from protocol.clock import WallMs
from protocol.document import Kind
from protocol.envelope import Envelope
from protocol.errors import Refusal
from protocol.limits import PARCEL_BYTES_MAX
from protocol.parcel import pack_parcel
from protocol.schedule import Programme
from protocol.units import UnitPath
from simulators.attacker import BUNDLE, raw_parcel
from tests.attacks.enduring import little_memory
from tests.attacks.offices import C1, COMMUNE, ELSEWHERE_ROOTS, STRANGER, grant, seal, sign_grant
from tests.attacks.scene import Scene

GB: Final = 1024**3
WANTED: Final = MediaRef("cd" * 32, 300_000, 35_000)


def _link_to(target: str) -> Callable[[Path, bytes], None]:
    return lambda folder, _: (folder / BUNDLE).symlink_to(target)


def _linked_bundle(folder: Path, parcel: bytes) -> None:
    (folder / "elsewhere").write_bytes(parcel)
    (folder / BUNDLE).symlink_to("elsewhere")


def _device(folder: Path, _: bytes) -> None:
    os.mknod(folder / BUNDLE, 0o600 | 0o020000, os.makedev(1, 5))


def _directory(folder: Path, parcel: bytes) -> None:
    (folder / BUNDLE).mkdir()
    (folder / BUNDLE / BUNDLE).write_bytes(parcel)


def _unreadable(folder: Path, _: bytes) -> None:
    (folder / BUNDLE).symlink_to("/proc/self/mem")


def _loop(folder: Path, _: bytes) -> None:
    (folder / BUNDLE).symlink_to(BUNDLE)


def _deep(folder: Path, _: bytes) -> None:
    for _level in range(200):
        folder = folder / "d"
        folder.mkdir()
    (folder / BUNDLE).write_bytes(b"{}")


def _many(folder: Path, _: bytes) -> None:
    for number in range(2000):
        (folder / f"{number}.mp3").touch()


def _other_names(folder: Path, parcel: bytes) -> None:
    for name in ("autorun.inf", "autorun.sh", f"{BUNDLE}.bak", BUNDLE.upper(), f" {BUNDLE}"):
        (folder / name).write_bytes(parcel)
        (folder / name).chmod(0o777)


SILENTLY_LEFT: dict[str, Callable[[Path, bytes], None]] = {
    "link to a file of the system": _link_to("/etc/passwd"),
    "link to the device's own state": _link_to("../../device/state.db"),
    "link to a device": _link_to("/dev/zero"),
    "link on the stick": _linked_bundle,
    "link to itself": _loop,
    "unreadable": _unreadable,
    "pipe": lambda folder, _: os.mkfifo(folder / BUNDLE),
    "device": _device,
    "directory named like the bundle": _directory,
    "directories in directories": _deep,
    "thousands of files": _many,
    "other names, executable": _other_names,
}


@pytest.mark.parametrize("what", SILENTLY_LEFT)
async def test_stick_that_is_left(scene: Scene, what: str) -> None:
    """links, pipes, devices, directories and other names instead of a bundle — only an ordinary file is opened."""
    parcel = raw_parcel(COMMUNE, [seal(Kind.ALERT, scene.offices.alert(), C1).pack()])
    try:
        SILENTLY_LEFT[what](scene.attacker.fresh_slot(), parcel)
    except PermissionError:
        pytest.skip("only root may make a device")
    with little_memory():
        await scene.ignored(scene.attacker.swap_stick)
    await scene.still_obeys()


def _zip_bomb() -> bytes:
    import io
    import zipfile

    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(BUNDLE, bytes(64 * 1024 * 1024))
    return made.getvalue()


NONSENSE: dict[str, tuple[bytes, Refusal]] = {
    "zip bomb": (_zip_bomb(), Refusal.MALFORMED_DOCUMENT),
    "program": (b"\x7fELF" + bytes(1000), Refusal.MALFORMED_DOCUMENT),
    "script": (b"#!/bin/sh\ntouch /tmp/owned\n", Refusal.MALFORMED_DOCUMENT),
    "nothing": (b"", Refusal.MALFORMED_DOCUMENT),
    "parcel without a scope": (b'{"envelopes":[]}', Refusal.MALFORMED_DOCUMENT),
    "deep": (b"[" * 100_000, Refusal.MALFORMED_DOCUMENT),
    "one byte too large": (b" " * (PARCEL_BYTES_MAX + 1), Refusal.TOO_LARGE),
}


@pytest.mark.parametrize("what", NONSENSE)
async def test_bundle_of_nonsense(scene: Scene, what: str) -> None:
    """a zip bomb, a program, a script, nothing, too much — a bundle is one bounded parcel and is never executed."""
    data, reason = NONSENSE[what]
    folder = scene.attacker.fresh_slot()
    (folder / BUNDLE).write_bytes(data)
    (folder / BUNDLE).chmod(0o777)
    known, before = len(scene.attacker.receipts()), scene.speaker.on_disk()
    scene.attacker.swap_stick()
    await scene.told(known, reason)
    await scene.speaker.silent_for(4)
    assert scene.speaker.on_disk() == before
    await scene.still_obeys()


async def test_huge_bundle(scene: Scene) -> None:
    """a bundle of a hundred gigabytes — one byte above the limit is read, and told as too large."""
    with (scene.attacker.fresh_slot() / BUNDLE).open("wb") as file:
        file.truncate(100 * GB)
    known = len(scene.attacker.receipts())
    with little_memory():
        scene.attacker.swap_stick()
        await scene.told(known, Refusal.TOO_LARGE)
    await scene.still_obeys()


async def test_bundle_of_another_province(scene: Scene) -> None:
    """a whole bundle of another province, faultless there — only this province's anchor is pinned here."""
    elsewhere = (
        sign_grant(grant(COMMUNE, STRANGER), *ELSEWHERE_ROOTS),
        seal(Kind.SCHEDULE, scene.offices.schedule(scene.offices.now_item()), STRANGER),
        seal(Kind.AUDIBLE_CONFIG, scene.offices.config(), STRANGER),
    )
    await all_refused(scene, elsewhere)


async def test_bundle_of_the_neighbour(scene: Scene) -> None:
    """the neighbour commune's bundle, put in by mistake or not — nothing of it is for this device."""
    neighbour = UnitPath("vn/92/31500")
    scope: dict[str, Any] = {"scope": neighbour, "targets": (neighbour,)}
    documents = (seal(Kind.ALERT, scene.offices.alert(**scope), scene.attacker.insider),)
    await all_refused(scene, documents, also=sign_grant(grant(neighbour, scene.attacker.insider)))


async def all_refused(scene: Scene, envelopes: tuple[Envelope, ...], *, also: Envelope | None = None) -> None:
    """Each document of the bundle is told as unknown, and nothing changes."""
    before, began = scene.speaker.on_disk(), scene.wall
    scene.attacker.plug(pack_parcel(COMMUNE, (*((also,) if also else ()), *envelopes)))
    await scene.attacker.until(lambda: len(scene.attacker.refusals()) == len(envelopes))
    assert scene.attacker.refusals() == {one.digest: [Refusal.UNKNOWN_KEY] for one in envelopes}
    await scene.speaker.silent_for(8, since_ms=began)
    assert scene.speaker.on_disk() == before
    await scene.still_obeys()


MEDIA: dict[str, Callable[[Path], None]] = {
    "link": lambda path: path.symlink_to("/etc/passwd"),
    "endless device behind a link": lambda path: path.symlink_to("/dev/zero"),
    "pipe": lambda path: os.mkfifo(path),
    "directory": lambda path: path.mkdir(),
    "huge": lambda path: _sparse(path, 100 * GB),
    "right size, other bytes": lambda path: _sparse(path, WANTED.size_bytes),
}


def _sparse(path: Path, size: int) -> None:
    with path.open("wb") as file:
        file.truncate(size)


@pytest.mark.parametrize("what", MEDIA)
async def test_media_on_a_stick(scene: Scene, what: str) -> None:
    """a link, pipe, directory or other bytes under a wanted digest — never more than was signed, never played."""
    start = WallMs(scene.wall + 20_000)
    item = scene.offices.item("moi", content=Programme(WANTED), when=Explicit((start,)))
    folder = scene.attacker.fresh_slot()
    (folder / BUNDLE).write_bytes(scene.offices.parcel())
    (folder / "media").mkdir()
    MEDIA[what](folder / "media" / WANTED.digest)
    scene.attacker.swap_stick()
    scene.send(Kind.SCHEDULE, scene.offices.schedule(item))
    with little_memory():
        await scene.until(start)
        await scene.speaker.silent_for(20)
    assert not list((scene.speaker.data / "media").glob(f"{WANTED.digest}.[0-9]*"))
    await scene.still_obeys()


async def test_stick_speaks_at_once(scene: Scene) -> None:
    """a true emergency, brought on a stick within its life — a stick stores, it never speaks at once."""
    withheld = seal(Kind.ALERT, scene.offices.alert(), C1)
    began = scene.wall
    scene.attacker.plug(pack_parcel(COMMUNE, (withheld,)))
    await scene.speaker.silent_for(12, since_ms=began)
    await scene.still_obeys()


async def test_sticks_in_and_out(scene: Scene) -> None:
    """sticks put in and pulled out without end — the device is not worn down by it."""
    for number in range(20):
        scene.attacker.plug(b"%d" % number)
        await scene.speaker.silent_for(1)
        scene.attacker.pull_stick()
        await scene.speaker.silent_for(1)
    assert set().union(*scene.attacker.refusals().values()) <= {Refusal.MALFORMED_DOCUMENT}
    await scene.still_obeys()
