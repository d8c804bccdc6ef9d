"""Enrolment, the check-up, bundles and posting, against a controller that answers."""

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from protocol import codec
from protocol.bulletin import BulletinClass, Explicit, MediaRef
from protocol.clock import DAY_MS, WallMs
from protocol.document import Kind
from protocol.envelope import sign
from protocol.keys import SigningKey
from protocol.parcel import pack_parcel, unpack_all
from protocol.schedule import Item, Programme, Schedule
from provisioning.bundle import Bundle, make_bundle
from provisioning.checkup import check_device
from provisioning.controller_line import ControllerLine
from provisioning.device_file import DeviceFile, enrol, read_device
from provisioning.errors import ProvisioningError, UnreachableError
from provisioning.grant_files import read_envelope
from provisioning.i18n import CATALOGUE
from provisioning.posting import post_envelopes
from tests.protocol.people import ANCHOR, C1, COMMUNE, NOW, PROVINCE, grant, grant_envelope
from tests.provisioning.conftest import FRESHNESS, TOKEN, Controller

PLACE = f"{COMMUNE}/c07"
PINNED = codec.encode(
    codec.build(type(ANCHOR), json.loads(codec.encode(ANCHOR)) | {"freshness_keys": [FRESHNESS.public]})
)
SOUND = b"OggS" * 100


@pytest.fixture(autouse=True)
def english() -> None:
    CATALOGUE.use("en")


def wall() -> WallMs:
    return WallMs(NOW + 500)


def schedule(*sounds: bytes) -> bytes:
    items = (
        Item(
            id=f"i{at}",
            title="Tin",
            bulletin_class=BulletinClass.ORDINARY,
            content=Programme(MediaRef(hashlib.sha256(sound).hexdigest(), len(sound), 1000)),
            when=Explicit((NOW,)),
            targets=(COMMUNE,),
        )
        for at, sound in enumerate(sounds)
    )
    return codec.encode(Schedule(COMMUNE, 1, NOW, WallMs(NOW + DAY_MS), tuple(items)))


@pytest.fixture
async def device(tmp_path: Path, controller: Controller) -> AsyncIterator[Path]:
    controller.wall = NOW
    broker = await asyncio.start_server(lambda reader, writer: writer.close(), "127.0.0.1", 0)
    port = broker.sockets[0].getsockname()[1]
    made = DeviceFile("loa-1", PLACE, controller.origin, "127.0.0.1", port, TOKEN)
    path = await asyncio.to_thread(enrol, tmp_path / "device", made, PINNED)
    yield path
    broker.close()
    await broker.wait_closed()


async def answers(device: Path) -> dict[str, tuple[bool, str]]:
    return {one.question: (one.ok, one.found) for one in await check_device(device, wall=wall)}


def change(device: Path, **changed: object) -> None:
    device.write_text(json.dumps(json.loads(device.read_text()) | changed))


async def bundle(device: Path, out: Path) -> Bundle:
    made = read_device(device)
    async with aiohttp.ClientSession() as session:
        return await make_bundle(ControllerLine(session, made), made.place, out)


async def test_enrolled_device_is_well(device: Path, controller: Controller) -> None:
    controller.parcels = [pack_parcel(COMMUNE, (grant_envelope(grant()),)).decode()]
    found = await answers(device)
    assert all(ok for ok, _ in found.values())
    assert found["Documents"] == (True, "grant")
    assert found["Anchor"] == (True, "vn/92, 2 of 3 keys")
    assert device.stat().st_mode & 0o077 == 0


async def test_board_beside_the_device_file_is_read(device: Path) -> None:
    board = device.with_name("board.json")
    board.write_text('{"lamps": {"link": 5}}')
    assert (await answers(device))["Board"] == (True, "own")
    board.write_text('{"lamps": {"link": 50}}')
    assert "lamps.link is a whole number from 0 to 27" in (await answers(device))["Board"][1]


async def test_nothing_published_yet_is_well(device: Path) -> None:
    assert (await answers(device))["Documents"] == (True, "none yet")


async def test_wrong_token_is_named(device: Path) -> None:
    change(device, token="x")
    found = await answers(device)
    assert "certificate or token" in found["Clock"][1]
    assert not found["Documents"][0]
    assert found["Broker"][0]


async def test_time_signed_by_another_key(device: Path, controller: Controller) -> None:
    controller.key = C1
    assert "not signed by the key" in (await answers(device))["Clock"][1]


async def test_time_for_another_question(device: Path, controller: Controller) -> None:
    controller.nonce = "0" * 32
    assert "not signed by the key" in (await answers(device))["Clock"][1]


async def test_clock_that_is_off(device: Path, controller: Controller) -> None:
    controller.wall = WallMs(NOW - 600_000)
    ok, said = (await answers(device))["Clock"]
    assert not ok
    assert "600 seconds off" in said


@pytest.mark.parametrize("answer", [b"{", b"x" * (4 * 1024 * 1024 + 1)], ids=["torn", "endless"])
async def test_answer_that_cannot_be_read(device: Path, controller: Controller, answer: bytes) -> None:
    controller.answer = answer
    found = await answers(device)
    assert not found["Clock"][0]
    assert not found["Documents"][0]


async def test_torn_parcel_is_named(device: Path, controller: Controller) -> None:
    controller.parcels = ["{"]
    assert "cannot be read" in (await answers(device))["Documents"][1]


async def test_controller_and_broker_away(device: Path) -> None:
    change(device, controller_url="http://127.0.0.1:1", mqtt_port=1)
    found = await answers(device)
    assert [question for question, (ok, _) in found.items() if not ok] == ["Clock", "Documents", "Broker"]


async def test_anchor_of_another_province(device: Path) -> None:
    change(device, place="vn/9/1/c1")
    found = await answers(device)
    assert "does not reach vn/9/1/c1" in found["Anchor"][1]


async def test_anchor_gone_or_damaged(device: Path) -> None:
    anchor = device.parent / "anchor.json"
    anchor.write_text("{")
    assert "not an anchor file" in (await answers(device))["Anchor"][1]
    anchor.unlink()
    assert "cannot be read" in (await answers(device))["Anchor"][1]


async def test_data_directory_that_cannot_be_written(device: Path) -> None:
    (device.parent / "data").write_text("in the way")
    assert not (await answers(device))["Data directory"][0]


async def test_file_that_is_no_device_file(tmp_path: Path) -> None:
    found = await answers(tmp_path / "none.json")
    assert list(found) == ["Device file"]
    assert not found["Device file"][0]


def test_enrolment_checks_the_anchor(tmp_path: Path) -> None:
    made = DeviceFile("loa-1", PLACE, "http://x", "x", 1, "t")
    with pytest.raises(ProvisioningError, match="not an anchor"):
        enrol(tmp_path, made, b"{}")
    (tmp_path / "file").write_text("")
    with pytest.raises(ProvisioningError, match="cannot be written"):
        enrol(tmp_path / "file", made, PINNED)


async def test_bundle_carries_documents_and_media(device: Path, controller: Controller, tmp_path: Path) -> None:
    speech, rights = sign(Kind.SCHEDULE, schedule(SOUND, SOUND + b"2"), [C1]), grant_envelope(grant())
    newer = sign("poem", b"{}", [C1])
    controller.parcels = [
        pack_parcel(PROVINCE, (newer,)).decode(),
        pack_parcel(COMMUNE, (speech, rights)).decode(),
    ]
    controller.media = {hashlib.sha256(one).hexdigest(): one for one in (SOUND, SOUND + b"2")}
    made = await bundle(device, tmp_path / "usb")
    assert (made.documents, made.media, made.left_out) == (3, 2, 0)
    assert made.size_bytes == made.path.stat().st_size + 2 * len(SOUND) + 1
    assert unpack_all(made.path.read_bytes()) == (rights, newer, speech)
    assert {one.name for one in (tmp_path / "usb" / "media").iterdir()} == set(controller.media)
    controller.media.clear()
    assert (await bundle(device, tmp_path / "usb")).media == 2, "what is there is not fetched again"


async def test_bundle_with_a_false_recording_is_not_written(
    device: Path, controller: Controller, tmp_path: Path
) -> None:
    controller.parcels = [pack_parcel(COMMUNE, (sign(Kind.SCHEDULE, schedule(SOUND), [C1]),)).decode()]
    for sent in (b"x" * len(SOUND), SOUND[:-1], SOUND + b"x"):
        controller.media = {hashlib.sha256(SOUND).hexdigest(): sent}
        with pytest.raises(ProvisioningError):
            await bundle(device, tmp_path / "usb")
    controller.media = {}
    with pytest.raises(UnreachableError):
        await bundle(device, tmp_path / "usb")
    assert not (tmp_path / "usb" / "loalang-bundle.json").exists()


async def test_bundle_on_a_full_or_missing_stick(device: Path, controller: Controller, tmp_path: Path) -> None:
    (tmp_path / "usb").write_text("a file, no directory")
    with pytest.raises(ProvisioningError, match="cannot be written"):
        await bundle(device, tmp_path / "usb")


async def test_more_documents_than_a_bundle_carries(device: Path, controller: Controller, tmp_path: Path) -> None:
    many = tuple(sign(Kind.SCHEDULE, schedule(), [SigningKey.generate()]) for _ in range(33))
    controller.parcels = [pack_parcel(COMMUNE, many).decode(), pack_parcel(PROVINCE, many).decode()]
    with pytest.raises(ProvisioningError, match="more documents"):
        await bundle(device, tmp_path / "usb")


async def test_grants_are_posted(controller: Controller) -> None:
    made = grant_envelope(grant())
    (result,) = await post_envelopes(controller.origin, [made])
    assert (result.kind, result.state, result.digest) == ("grant", "accepted", made.digest)
    assert controller.taken == [made]


async def test_posting_to_nobody() -> None:
    with pytest.raises(UnreachableError, match="Is it running"):
        await post_envelopes("http://127.0.0.1:1", [grant_envelope(grant())])


def test_file_that_is_no_envelope(tmp_path: Path) -> None:
    with pytest.raises(ProvisioningError, match="not a signed document"):
        read_envelope(tmp_path / "none")
    (tmp_path / "x").write_text("{}")
    with pytest.raises(ProvisioningError, match="not a signed document"):
        read_envelope(tmp_path / "x")
