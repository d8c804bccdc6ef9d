"""Sound swapped under its digest: the address is the proof, so other bytes are no medium."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest
from aiohttp import web

from protocol.alert import Part
from protocol.bulletin import Explicit, MediaRef
from protocol.clock import WallMs
from protocol.document import Kind
from protocol.report import FaultCode
from protocol.schedule import Programme
from simulators.attacker import BUNDLE
from simulators.encoder import encode
from simulators.melody import melody
from simulators.tone_voice import tone_speech
from tests.attacks.scene import Scene

LENGTH_MS: Final = 35_000


@pytest.fixture(scope="package")
def false_sound(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """What the attacker would like to be heard, as a file that plays."""
    return encode(melody(666, duration_ms=LENGTH_MS), tmp_path_factory.mktemp("false") / "false.opus").read_bytes()


@pytest.fixture(scope="package")
def true_sound(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """What was signed."""
    return encode(melody(32, duration_ms=LENGTH_MS), tmp_path_factory.mktemp("true") / "true.opus").read_bytes()


def reference(data: bytes) -> MediaRef:
    """How a signed document names it."""
    return MediaRef(hashlib.sha256(data).hexdigest(), len(data), LENGTH_MS)


def same_length(true: bytes, false: bytes) -> bytes:
    """The false sound, cut or filled to the true one's size."""
    return false[: len(true)].ljust(len(true), b"\0")


SWAPS: dict[str, Callable[[bytes, bytes], bytes]] = {
    "other bytes of the same length": same_length,
    "one bit": lambda true, _: true[:5000] + bytes([true[5000] ^ 1]) + true[5001:],
    "truncated": lambda true, _: true[: len(true) // 2],
    "longer": lambda true, false: true + false,
    "empty": lambda true, _: b"",
    "other sound": lambda true, false: false,
}


async def wanted(scene: Scene, data: bytes) -> tuple[MediaRef, int]:
    """A signed programme in half a minute whose sound is not there yet."""
    media, start = reference(data), WallMs(scene.wall + 40_000)
    item = scene.offices.item("moi", content=Programme(media), when=Explicit((start,)))
    scene.send(Kind.SCHEDULE, scene.offices.schedule(item))
    await scene.speaker.wait_state(lambda state: media.digest in state.force.media)
    return media, start


def stored(scene: Scene, media: MediaRef) -> list[Path]:
    """Files that count as this medium."""
    return list((scene.speaker.data / "media").glob(f"{media.digest}.[0-9]*"))


async def not_heard(scene: Scene, media: MediaRef, start: int) -> None:
    """At its time there is silence and a fault, and nothing false was taken for it."""
    await scene.until(start - 500)
    await scene.speaker.silent_for(LENGTH_MS / 1000)
    assert not stored(scene, media)
    assert FaultCode.MEDIA_MISSING in {one.code for one in scene.attacker.faults()}
    await scene.still_obeys()


@pytest.mark.parametrize("way", SWAPS)
async def test_media_swapped(scene: Scene, way: str, true_sound: bytes, false_sound: bytes) -> None:
    """other bytes under a signed digest — they are hashed before they can play, the slot is silent and a fault."""
    media = reference(true_sound)
    scene.attacker.web.media[media.digest] = SWAPS[way](true_sound, false_sound)
    await not_heard(scene, *await wanted(scene, true_sound))


async def test_media_swapped_while_resumed(scene: Scene, true_sound: bytes, false_sound: bytes) -> None:
    """the first half true, the rest of the resumed download false — the whole is hashed, not the parts."""
    half = len(true_sound) // 2

    async def fetch(request: web.Request) -> web.StreamResponse:
        begin = int(request.headers.get("Range", "bytes=0-").removeprefix("bytes=").removesuffix("-"))
        if begin:
            headers = {"Content-Range": f"bytes {begin}-{len(true_sound) - 1}/{len(true_sound)}"}
            return web.Response(status=206, body=same_length(true_sound, false_sound)[begin:], headers=headers)
        response = web.StreamResponse(headers={"Content-Length": str(len(true_sound))})
        await response.prepare(request)
        await response.write(true_sound[:half])
        assert request.transport is not None, "the device is on the line"
        request.transport.close()
        return response

    scene.attacker.web.fetch = fetch
    await not_heard(scene, *await wanted(scene, true_sound))


@pytest.mark.parametrize("way", ("other bytes of the same length", "other sound", "empty"))
async def test_media_swapped_on_a_stick(scene: Scene, way: str, true_sound: bytes, false_sound: bytes) -> None:
    """the same from a stick — a medium is proved by its digest, wherever it comes from."""
    media, start = await wanted(scene, true_sound)
    folder = scene.attacker.fresh_slot()
    (folder / BUNDLE).write_bytes(scene.offices.parcel())
    (folder / "media").mkdir()
    (folder / "media" / media.digest).write_bytes(SWAPS[way](true_sound, false_sound))
    scene.attacker.swap_stick()
    await not_heard(scene, media, start)


async def test_recording_of_an_alert_swapped(scene: Scene, false_sound: bytes, true_sound: bytes) -> None:
    """another recording under an emergency's digest — the emergency is spoken from its signed text instead."""
    media = reference(true_sound)
    scene.attacker.web.media[media.digest] = same_length(true_sound, false_sound)
    part = Part("vi", "Nước lên, đi ngay", media)
    began = scene.wall
    alert = scene.offices.alert(parts=(part,))
    scene.send(Kind.ALERT, alert)
    await scene.speaker.until_heard(tone_speech(part.text), began, within_s=15)
    assert not stored(scene, media)
    await scene.call_off(alert)


async def test_true_media_after_the_false(scene: Scene, true_sound: bytes, false_sound: bytes) -> None:
    """no attack any more — once the true bytes are given out they are taken, and heard at their second."""
    media = reference(true_sound)
    scene.attacker.web.media[media.digest] = same_length(true_sound, false_sound)
    _, start = await wanted(scene, true_sound)
    await asyncio.sleep(5)
    assert not stored(scene, media)
    scene.attacker.web.media[media.digest] = true_sound
    await scene.speaker.wait_state(lambda state: media.digest in state.media)
    await scene.until(start + 6000)
    scene.speaker.plays(melody(32, duration_ms=LENGTH_MS)[: 5 * 96_000], start)
