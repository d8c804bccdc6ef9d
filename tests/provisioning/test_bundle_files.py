"""A bundle made of files that a signer saved: no network, nothing half written."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from protocol.document import Kind
from protocol.envelope import Envelope, sign
from protocol.parcel import unpack_all
from provisioning.bundle import Bundle, make_bundle
from provisioning.errors import ProvisioningError
from provisioning.saved_files import SavedFiles
from tests.contracts.full_disk import small_disk
from tests.protocol.people import C1, COMMUNE, alert, cancel, grant, grant_envelope
from tests.provisioning.sticks import SOUND, denial, schedule


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    """What a signer saved: a schedule and an alert with its cancel."""
    speech = [sign(Kind.SCHEDULE, schedule(SOUND), [C1]), sign(Kind.ALERT, alert(), [C1])]
    return save(tmp_path / "saved.json", *speech, sign(Kind.CANCEL, cancel(), [C1]))


@pytest.fixture
def recordings(tmp_path: Path) -> Path:
    folder = tmp_path / "ghi âm"
    folder.mkdir()
    (folder / "bản tin.ogg").write_bytes(SOUND)
    (folder / "khác.ogg").write_bytes(bytes(len(SOUND)))
    (folder / "link.ogg").symlink_to(folder / "bản tin.ogg")
    return folder


def save(path: Path, *envelopes: Envelope) -> Path:
    path.write_text(json.dumps({"envelopes": [one.pack().decode() for one in envelopes]}))
    return path


async def make(source: SavedFiles, out: Path, **options: object) -> Bundle:
    return await make_bundle(source, COMMUNE, out, **options)  # type: ignore[arg-type]


async def test_saved_files_become_a_bundle(tmp_path: Path, saved: Path, recordings: Path) -> None:
    rights = grant_envelope(grant())
    (tmp_path / "grant.json").write_bytes(rights.pack())
    made = await make(SavedFiles([saved, tmp_path / "grant.json", saved], recordings), tmp_path / "usb")
    assert (made.documents, made.media, made.left_out) == (3, 1, 1), "the alert is left out"
    assert [one.kind for one in unpack_all(made.path.read_bytes())] == ["grant", "schedule", "cancel"]
    assert (tmp_path / "usb" / "media" / hashlib.sha256(SOUND).hexdigest()).read_bytes() == SOUND
    assert (tmp_path / "usb" / "loalang-logs").is_dir()


async def test_who_may_speak_comes_first(tmp_path: Path) -> None:
    """The wider grant before the narrower one, then who may speak no more, then speech."""
    below = grant_envelope(grant(holder="x", parent=grant_envelope(grant(depth=1)).digest), [C1])
    above = grant_envelope(grant(depth=1))
    speech = sign(Kind.SCHEDULE, schedule(), [C1])
    path = save(tmp_path / "saved.json", speech, denial(epoch=1), sign(Kind.GRANT, b"{}", [C1]), below, above)
    made = await make(SavedFiles([path], None), tmp_path / "usb")
    kinds = [one.kind for one in unpack_all(made.path.read_bytes())]
    assert kinds == ["grant", "grant", "grant", "denial", "schedule"]
    assert unpack_all(made.path.read_bytes())[0] == above


async def test_nothing_is_written_when_it_is_too_large(tmp_path: Path, saved: Path, recordings: Path) -> None:
    with pytest.raises(ProvisioningError, match="at most"):
        await make(SavedFiles([saved], recordings), tmp_path / "usb", size_max_bytes=1000)
    assert not (tmp_path / "usb").exists()


async def test_nothing_is_written_when_a_recording_is_missing(tmp_path: Path, saved: Path, recordings: Path) -> None:
    (recordings / "bản tin.ogg").unlink()
    for folder in (recordings, None):
        with pytest.raises(ProvisioningError, match="--media"):
            await make(SavedFiles([saved], folder), tmp_path / "usb")
    assert not (tmp_path / "usb").exists()


async def test_stick_without_room(tmp_path: Path, saved: Path, recordings: Path) -> None:
    with small_disk(tmp_path / "usb", size_bytes=64 * 1024) as usb:
        (usb / "photo").write_bytes(bytes(60 * 1024))
        with pytest.raises(ProvisioningError, match="MB left"):
            await make(SavedFiles([saved], recordings), usb)
        assert [one.name for one in usb.iterdir()] == ["photo"]


async def test_damaged_recording_on_the_stick_is_written_anew(tmp_path: Path, saved: Path, recordings: Path) -> None:
    there = tmp_path / "usb" / "media" / hashlib.sha256(SOUND).hexdigest()
    there.parent.mkdir(parents=True)
    there.write_bytes(bytes(len(SOUND)))
    await make(SavedFiles([saved], recordings), tmp_path / "usb")
    assert there.read_bytes() == SOUND
    assert [one.name for one in there.parent.iterdir()] == [there.name], "no half a file is left"


@pytest.mark.parametrize("name", ["media", "loalang-logs", "loalang-root"])
async def test_link_on_the_stick_leads_nowhere(tmp_path: Path, saved: Path, recordings: Path, name: str) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "usb").mkdir()
    (tmp_path / "usb" / name).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ProvisioningError, match="a link stands there"):
        await make(SavedFiles([saved], recordings), tmp_path / "usb", root=a_root(tmp_path))
    assert list((tmp_path / "elsewhere").iterdir()) == []
    assert not (tmp_path / "usb" / "loalang-bundle.json").exists()


async def test_list_that_is_a_link_is_replaced(tmp_path: Path, saved: Path, recordings: Path) -> None:
    (tmp_path / "secret").write_text("secret")
    (tmp_path / "usb").mkdir()
    (tmp_path / "usb" / "loalang-bundle.json").symlink_to(tmp_path / "secret")
    made = await make(SavedFiles([saved], recordings), tmp_path / "usb")
    assert not made.path.is_symlink()
    assert (tmp_path / "secret").read_text() == "secret"


def a_root(tmp_path: Path) -> Path:
    root = tmp_path / "root"
    (root / "metadata").mkdir(parents=True)
    (root / "targets" / "agent").mkdir(parents=True)
    (root / "metadata" / "1.root.json").write_text("{}")
    (root / "targets" / "agent" / "abc.whl").write_bytes(b"software")
    return root


async def test_root_travels_as_well(tmp_path: Path, saved: Path, recordings: Path) -> None:
    await make(SavedFiles([saved], recordings), tmp_path / "usb", root=a_root(tmp_path))
    made = tmp_path / "usb" / "loalang-root"
    assert (made / "metadata" / "1.root.json").read_text() == "{}"
    assert (made / "targets" / "agent" / "abc.whl").read_bytes() == b"software"


async def test_root_with_a_link_in_it(tmp_path: Path, saved: Path, recordings: Path) -> None:
    root = a_root(tmp_path)
    (root / "metadata" / "2.root.json").symlink_to("/etc/passwd")
    with pytest.raises(ProvisioningError, match="not an ordinary file"):
        await make(SavedFiles([saved], recordings), tmp_path / "usb", root=root)
    assert not (tmp_path / "usb").exists()


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"envelopes": ["{}"]}', '{"envelopes": 7}', "[" * 100_000])
async def test_file_that_no_signer_saved(tmp_path: Path, text: str) -> None:
    (tmp_path / "x.json").write_text(text)
    with pytest.raises(ProvisioningError, match="not a signed document"):
        await make(SavedFiles([tmp_path / "x.json"], None), tmp_path / "usb")
