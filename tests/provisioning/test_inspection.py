"""What is on a stick, told before anybody climbs a pole."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from protocol import codec
from protocol.clock import DAY_MS, WallMs
from protocol.document import Kind
from protocol.envelope import Envelope, sign
from protocol.errors import Refusal
from protocol.freshness import Attestation, Head, Newest
from protocol.parcel import Parcel, pack_parcel
from protocol.units import UnitPath
from provisioning.errors import ProvisioningError
from provisioning.inspection import Inspection, inspect
from provisioning.stick_listing import ENTRIES_MAX, State, Stray
from tests.protocol.people import (
    ANCHOR,
    C1,
    COMMUNE,
    FRESHNESS,
    NOW,
    PROVINCE,
    STRANGER,
    alert,
    grant,
    grant_envelope,
)
from tests.provisioning.sticks import SOUND, denial, media_of, schedule

PLACE = UnitPath("vn/92/31498/c07")
RIGHTS = grant_envelope(grant())
SPEECH = sign(Kind.SCHEDULE, schedule(SOUND), [C1])


@pytest.fixture
def usb(tmp_path: Path) -> Path:
    (tmp_path / "usb" / "media").mkdir(parents=True)
    (tmp_path / "usb" / "loalang-logs").mkdir()
    return tmp_path / "usb"


def put(usb: Path, *envelopes: Envelope, sound: bytes | None = SOUND) -> None:
    (usb / "loalang-bundle.json").write_bytes(pack_parcel(COMMUNE, envelopes))
    if sound is not None:
        (usb / "media" / media_of(SOUND).digest).write_bytes(sound)


def look(usb: Path, **options: Any) -> Inspection:
    return inspect(usb, **{"anchor": ANCHOR, "wall": NOW, **options})


def refusals(found: Inspection) -> list[Refusal | None]:
    return [one.refusal for one in found.documents]


def test_good_stick(usb: Path) -> None:
    head = sign(Kind.HEAD, codec.encode(Head(COMMUNE, NOW, (Newest(COMMUNE, "schedule", 1),))), [FRESHNESS])
    put(usb, SPEECH, head, RIGHTS)
    found = look(usb, place=PLACE)
    assert found.ok
    assert [(one.kind, one.office, one.holder) for one in found.documents] == [
        ("schedule", "Xã Long Phú", ""),
        ("head", "freshness", ""),
        ("grant", "anchor", "Xã Long Phú"),
    ]
    assert all(one.for_place for one in found.documents)
    assert (found.documents[0].number, found.documents[0].expires) == (1, NOW + DAY_MS)
    assert found.media_bytes == len(SOUND)


def test_stick_for_somebody_else(usb: Path) -> None:
    put(usb, RIGHTS, SPEECH)
    found = look(usb, place=UnitPath("vn/92/31507/c01"))
    assert found.ok
    assert not any(one.for_place for one in found.documents)


def test_without_an_anchor_nothing_is_judged(usb: Path) -> None:
    put(usb, RIGHTS, sign(Kind.SCHEDULE, schedule(), [STRANGER]))
    found = look(usb, anchor=None)
    assert refusals(found) == [None, None]
    assert not found.judged


@pytest.mark.parametrize(
    ("envelope", "reason"),
    [
        (sign(Kind.SCHEDULE, schedule(), [STRANGER]), Refusal.UNKNOWN_KEY),
        (Envelope(SPEECH.payload_type, schedule(), SPEECH.signatures), Refusal.BAD_SIGNATURE),
        (sign(Kind.SCHEDULE, schedule(scope=PROVINCE), [C1]), Refusal.OUT_OF_SCOPE),
        (sign(Kind.SCHEDULE, schedule(expires=WallMs(NOW - 1), issued=WallMs(NOW - 2)), [C1]), Refusal.EXPIRED),
        (sign(Kind.SCHEDULE, schedule(issued=WallMs(NOW + DAY_MS // 2)), [C1]), Refusal.NOT_YET_VALID),
        (sign(Kind.SCHEDULE, b"{}", [C1]), Refusal.MALFORMED_DOCUMENT),
        (sign(Kind.ALERT, alert(), [C1]), Refusal.NOT_BY_STICK),
        (sign("karaoke", b"{}", [C1]), Refusal.UNKNOWN_TYPE),
        (sign(Kind.ATTESTATION, codec.encode(Attestation("0" * 32, NOW)), [FRESHNESS]), Refusal.UNKNOWN_TYPE),
        (sign(Kind.HEAD, codec.encode(Head(COMMUNE, NOW, ())), [C1]), Refusal.UNKNOWN_KEY),
        (grant_envelope(grant(holder="x", parent="0" * 64)), Refusal.GRANT_WITHOUT_PARENT),
        (grant_envelope(grant(holder="x", expires=WallMs(NOW - 1))), Refusal.GRANT_EXPIRED),
        (grant_envelope(grant(holder="x"), [STRANGER]), Refusal.UNKNOWN_KEY),
    ],
)
def test_why_a_device_would_refuse(usb: Path, envelope: Envelope, reason: Refusal) -> None:
    put(usb, RIGHTS, envelope)
    found = look(usb, place=PLACE)
    assert refusals(found) == [None, reason]
    assert not found.ok


def test_withdrawn_authority(usb: Path) -> None:
    put(usb, RIGHTS, SPEECH, denial(epoch=1))
    assert refusals(look(usb)) == [Refusal.GRANT_DENIED, Refusal.GRANT_DENIED, None]


def test_entry_that_is_no_envelope(usb: Path) -> None:
    data = codec.encode(Parcel(COMMUNE, ("{}", RIGHTS.pack().decode())))
    (usb / "loalang-bundle.json").write_bytes(data)
    assert refusals(look(usb)) == [Refusal.MALFORMED_ENVELOPE, None]


@pytest.mark.parametrize(
    ("sound", "state"),
    [(None, State.MISSING), (SOUND[:-1], State.DAMAGED), (bytes(len(SOUND)), State.DAMAGED)],
)
def test_recording_that_is_not_whole(usb: Path, sound: bytes | None, state: State) -> None:
    put(usb, RIGHTS, SPEECH, sound=sound)
    found = look(usb)
    assert [one.state for one in found.listing.recordings] == [state]
    assert not found.ok


def test_recording_behind_a_link(usb: Path, tmp_path: Path) -> None:
    put(usb, RIGHTS, SPEECH, sound=None)
    (tmp_path / "elsewhere").write_bytes(SOUND)
    (usb / "media" / media_of(SOUND).digest).symlink_to(tmp_path / "elsewhere")
    found = look(usb)
    assert [one.state for one in found.listing.recordings] == [State.DAMAGED]
    assert [one.why for one in found.listing.odd] == [Stray.LINK]


def test_things_that_do_not_belong(usb: Path) -> None:
    put(usb, RIGHTS, SPEECH)
    (usb / "media" / ("0" * 64)).write_bytes(b"sound that nobody names")
    (usb / "photo.jpg").write_bytes(b"\xff\xd8")
    (usb / "loalang-logs" / "dev-1-2026-01-01.sealed").write_bytes(b"")
    (usb / "loalang-root" / "metadata").mkdir(parents=True)
    (usb / "loalang-root" / "metadata" / "root.json").write_bytes(b"{}")
    (usb / "System Volume Information").mkdir()
    (usb / "System Volume Information" / "x.exe").write_bytes(b"MZ")
    found = look(usb)
    assert found.ok, "a photo is odd, not wrong"
    assert [(one.name, one.why) for one in found.listing.odd] == [("photo.jpg", Stray.OTHER)]
    assert [one.state for one in found.listing.recordings] == [State.PRESENT, State.NOT_NAMED]
    assert found.listing.logs == ("loalang-logs/dev-1-2026-01-01.sealed",)
    assert found.listing.root_files == 1


def test_things_that_are_a_reason_to_ask(usb: Path) -> None:
    put(usb, RIGHTS, SPEECH)
    (usb / "autorun.inf").write_bytes(b"[autorun]")
    (usb / "photo.jpg").write_bytes(b"\x7fELF")
    (usb / "link").symlink_to("/")
    os.mkfifo(usb / "pipe")
    found = look(usb)
    assert not found.ok
    assert {one.name: one.why for one in found.listing.odd} == {
        "autorun.inf": Stray.EXECUTABLE,
        "photo.jpg": Stray.EXECUTABLE,
        "link": Stray.LINK,
        "pipe": Stray.DEVICE,
    }


@pytest.mark.slow
def test_too_many_files_are_not_all_looked_at(usb: Path) -> None:
    put(usb, RIGHTS, SPEECH)
    for number in range(ENTRIES_MAX + 1):
        os.close(os.open(usb / f"{number}", os.O_CREAT))
    found = look(usb)
    assert not found.ok
    assert found.listing.odd[-1].why is Stray.TOO_MANY


@pytest.mark.parametrize("what", ["nothing", "text", "link", "pipe", "huge"])
def test_no_list_of_documents(usb: Path, what: str) -> None:
    path = usb / "loalang-bundle.json"
    if what == "text":
        path.write_text("hello")
    elif what == "link":
        path.symlink_to("/etc/passwd")
    elif what == "pipe":
        os.mkfifo(path)
    elif what == "huge":
        with path.open("wb") as file:
            file.truncate(10**10)
    with pytest.raises(ProvisioningError):
        look(usb)
