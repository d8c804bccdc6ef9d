"""Live sessions: a segment that its session's key did not sign, or that was heard before, is not heard."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Callable, Iterable
from typing import Final

import pytest

from protocol.document import Kind
from protocol.envelope import Envelope
from protocol.errors import Refusal
from protocol.limits import LIVE_SEGMENT_BYTES_MAX
from protocol.live import LiveSession, unpack_segment
from protocol.report import Standing
from simulators.encoder import opus_packets
from simulators.horn import Heard
from simulators.listening import first_sound_ms
from simulators.melody import melody
from tests.attacks.offices import C1, key, segments
from tests.attacks.scene import Scene

SEGMENT_MS: Final = 500
SESSION_KEY: Final = key("session")
OTHER_SESSION_KEY: Final = key("other session")
COUNTER_MAX: Final = 2**32 - 1


@pytest.fixture(scope="package")
def voice() -> bytes:
    """What is really said: ten seconds."""
    return melody(71, duration_ms=10_000)


@pytest.fixture(scope="package")
def packets(voice: bytes) -> tuple[bytes, ...]:
    """The same as it travels."""
    return opus_packets(voice)


@pytest.fixture(scope="package")
def false_packets() -> tuple[bytes, ...]:
    """What the attacker would like to be heard."""
    return opus_packets(melody(666, duration_ms=10_000))


async def announce(scene: Scene) -> tuple[LiveSession, Envelope]:
    """A true session, known to the device."""
    session = scene.offices.live(SESSION_KEY)
    envelope = scene.send(Kind.LIVE_SESSION, session)
    await scene.attacker.until(lambda: bool(scene.attacker.receipts(envelope.digest)))
    return session, envelope


async def speak(scene: Scene, parts: Iterable[bytes]) -> None:
    """Segments at the pace at which they are spoken."""
    for part in parts:
        scene.attacker.segment(part)
        await asyncio.sleep(SEGMENT_MS / 1000)


def sounding_ms(heard: Heard) -> int:
    """How long anything at all was heard, to 20 ms."""
    step = 1920
    return 20 * sum(any(heard.samples[at : at + step]) for at in range(0, len(heard.samples), step))


async def test_true_session(scene: Scene, voice: bytes, packets: tuple[bytes, ...]) -> None:
    """no attack at all — a true session is heard, so silence in the other tests means something."""
    session, _ = await announce(scene)
    began = scene.wall
    await speak(scene, segments(session, SESSION_KEY, packets))
    await scene.speaker.until_heard(voice[: 96_000 * 6], began, within_s=6)
    await scene.speaker.until_quiet()
    await scene.still_obeys()


def swapped(true: bytes, false: tuple[bytes, ...]) -> bytes:
    """Another sound in a true segment."""
    segment = unpack_segment(true)
    sound = b"".join(len(one).to_bytes(2, "big") + one for one in false[:25])
    return dataclasses.replace(segment, sound=sound).pack()


def renumbered(true: bytes, _: tuple[bytes, ...]) -> bytes:
    """A true segment under the highest number, so that no other would follow."""
    return dataclasses.replace(unpack_segment(true), counter=COUNTER_MAX).pack()


def stretched(true: bytes, _: tuple[bytes, ...]) -> bytes:
    """A true segment that says it is longer."""
    return dataclasses.replace(unpack_segment(true), duration_ms=1000).pack()


ALTERED: dict[str, tuple[Callable[[bytes, tuple[bytes, ...]], bytes], Refusal]] = {
    "swapped": (swapped, Refusal.BAD_SIGNATURE),
    "renumbered": (renumbered, Refusal.BAD_SIGNATURE),
    "stretched": (stretched, Refusal.BAD_SIGNATURE),
    "cut off": (lambda true, _: true[:-1], Refusal.MALFORMED_DOCUMENT),
    "longer": (lambda true, _: true + b"\0", Refusal.MALFORMED_DOCUMENT),
    "other magic": (lambda true, _: b"LLS2" + true[4:], Refusal.MALFORMED_DOCUMENT),
    "too large": (lambda true, _: true.ljust(LIVE_SEGMENT_BYTES_MAX + 1, b"\0"), Refusal.TOO_LARGE),
    "empty": (lambda true, _: b"", Refusal.MALFORMED_DOCUMENT),
}


@pytest.mark.parametrize("way", ALTERED)
async def test_segment_altered(
    scene: Scene, way: str, packets: tuple[bytes, ...], false_packets: tuple[bytes, ...], voice: bytes
) -> None:
    """segments swapped, renumbered, cut or stretched in flight — each is signed by the session's key, whole."""
    session, envelope = await announce(scene)
    alter, reason = ALTERED[way]
    true = segments(session, SESSION_KEY, packets)
    began, before = scene.wall, scene.speaker.on_disk()
    await speak(scene, [alter(one, false_packets) for one in true[:6]])
    await scene.speaker.silent_for(4, since_ms=began)
    assert scene.attacker.refusals() == {envelope.digest: [reason]}
    assert scene.speaker.on_disk() == before
    began = scene.wall
    await speak(scene, true)
    await scene.speaker.until_heard(voice[: 96_000 * 5], began, within_s=6)
    await scene.speaker.until_quiet()
    await scene.still_obeys()


@pytest.mark.parametrize("insider", (False, True))
async def test_segment_of_a_foreign_session(scene: Scene, false_packets: tuple[bytes, ...], insider: bool) -> None:
    """his own session's segments, or the neighbour's — no session with that name is in force here."""
    _, envelope = await announce(scene)
    foreign = scene.offices.live(OTHER_SESSION_KEY)
    signer = scene.attacker.insider if insider else OTHER_SESSION_KEY
    began = scene.wall
    await speak(scene, segments(foreign, signer, false_packets))
    await scene.speaker.silent_for(3, since_ms=began)
    assert scene.attacker.refusals() == {envelope.digest: [Refusal.OUT_OF_SCOPE]}
    await scene.still_obeys()


async def test_segments_without_a_session(scene: Scene, false_packets: tuple[bytes, ...]) -> None:
    """segments when nobody has announced anything — there is no key to ask, and nothing to tell."""
    nobody = segments(scene.offices.live(OTHER_SESSION_KEY), OTHER_SESSION_KEY, false_packets)
    await scene.ignored(lambda: speak(scene, nobody))
    await scene.still_obeys()


async def test_segments_replayed(scene: Scene, packets: tuple[bytes, ...]) -> None:
    """what was said is played again within the session — a number is heard once."""
    session, _ = await announce(scene)
    true = segments(session, SESSION_KEY, packets)
    await speak(scene, true[:10])
    await scene.speaker.until_quiet()
    await asyncio.sleep(12)
    await scene.ignored(lambda: speak(scene, true[:10]))
    await scene.still_obeys()


async def test_segments_reordered(scene: Scene, packets: tuple[bytes, ...]) -> None:
    """the last word first, then the rest — what is older than what was heard is left out."""
    session, _ = await announce(scene)
    true = segments(session, SESSION_KEY, packets)
    began = scene.wall
    await speak(scene, [true[19], *true[:19]])
    await scene.speaker.until_quiet()
    assert 0 < sounding_ms(scene.speaker.heard(began)) <= 2 * SEGMENT_MS + 100
    await scene.still_obeys()


async def test_segments_after_the_end(scene: Scene, packets: tuple[bytes, ...]) -> None:
    """segments kept back until the session's signed end has passed — the session is over."""
    session = scene.offices.live(SESSION_KEY, expires=scene.wall + 20_000)
    scene.send(Kind.LIVE_SESSION, session)
    await asyncio.sleep(25)
    await scene.ignored(lambda: speak(scene, segments(session, SESSION_KEY, packets)))
    await scene.still_obeys()


async def test_segments_of_a_session_that_was_replaced(scene: Scene, packets: tuple[bytes, ...]) -> None:
    """the morning's session in the afternoon, although a newer one was announced — its number is used."""
    session, envelope = await announce(scene)
    true = segments(session, SESSION_KEY, packets)
    await speak(scene, true[:6])
    newer, _ = await announce(scene)
    await scene.speaker.until_quiet()
    await asyncio.sleep(12)
    began = scene.wall
    scene.attacker.on_topic("alert", envelope.pack())
    await speak(scene, true)
    await scene.speaker.silent_for(3, since_ms=began)
    assert newer.id in str(scene.speaker.state)
    await scene.still_obeys()


async def test_segments_replayed_after_a_power_cut(scene: Scene, packets: tuple[bytes, ...]) -> None:
    """what was said is played again after a power cut, within the session — a number is heard once."""
    session, _ = await announce(scene)
    true = segments(session, SESSION_KEY, packets)
    await speak(scene, true[:10])
    await scene.speaker.until_quiet()
    await scene.speaker.cut_power()
    await scene.power_up()
    began = scene.wall
    await speak(scene, true[:10])
    await asyncio.sleep(3)
    heard = scene.speaker.heard(began)
    assert first_sound_ms(heard) is None, f"{sounding_ms(heard)} ms of old speech were heard again"
    await scene.still_obeys()


async def test_session_shown_again(scene: Scene) -> None:
    """the same session again by every path — a command is obeyed once, its second copy is nothing."""
    _, envelope = await announce(scene)

    async def again() -> None:
        for path in ("doc", "alert", "poll", "poll alert", "stick"):
            await scene.attacker.deliver(path, envelope.pack())
            await asyncio.sleep(3)

    await scene.ignored(again, seconds=3)
    assert [one.standing for one in scene.attacker.receipts(envelope.digest)] == [Standing.RECEIVED]
    await scene.still_obeys()


async def test_session_key_of_a_page(scene: Scene, false_packets: tuple[bytes, ...]) -> None:
    """a segment signed by the operator's own key instead of the session's — only the session's key speaks in it."""
    session, envelope = await announce(scene)
    began = scene.wall
    await speak(scene, segments(session, C1, false_packets)[:4])
    await scene.speaker.silent_for(3, since_ms=began)
    assert scene.attacker.refusals() == {envelope.digest: [Refusal.BAD_SIGNATURE]}
    await scene.still_obeys()
