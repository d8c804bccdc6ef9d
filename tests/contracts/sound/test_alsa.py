"""The ALSA drivers keep the contracts: through libasound's own plug-ins, and on the model of a card that keeps time.

A machine with a card, or with the kernel's loopback (`modprobe snd-aloop`), is judged by the same suites:
LOALANG_ALSA_CARD=plughw:Loopback,0 and LOALANG_ALSA_CAPTURE=plughw:Loopback,1 in the environment name its two ends.
"""

from __future__ import annotations

import asyncio
import audioop
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path

import pytest

from edge.audio.engine import Engine
from edge.core.events import SoundEnded
from edge.core.output import ProgrammeOutput, Rung
from edge.ports import FRAME_BYTES, FRAME_MS, SILENT_FRAME, Microphone, SoundCard
from hardware.alsa_capture import AlsaCapture
from hardware.alsa_card import DEPTH_MS, AlsaCard
from hardware.microphone import AlsaMicrophone
from protocol.clock import MonoMs, WallMs
from protocol.report import EndReason
from simulators.alsa_library import SimAlsa, SimSoundHardware
from simulators.alsa_plugins import alsa_plugins
from simulators.board import SimBoard
from simulators.encoder import encode
from simulators.listening import find
from simulators.loop_clock import LoopClock
from simulators.media_shelf import MediaShelf
from simulators.melody import melody
from simulators.player import PyAvPlayer
from simulators.tone_voice import ToneVoice
from tests.contracts.sound.microphone_contract import MicrophoneContract
from tests.contracts.sound.sound_card_contract import SoundCardContract

CARD = os.environ.get("LOALANG_ALSA_CARD", "")
CAPTURE = os.environ.get("LOALANG_ALSA_CAPTURE", "")
SONG = melody(5, duration_ms=2000)
MODEL = "hw:1"
TOLD_MS = 20
AHEAD_MS = 2500
DEEP_MS = 180
"""A machine under emulation is slow, and one under test is busy."""
LEAD = SILENT_FRAME * 2


@pytest.fixture
def played(tmp_path: Path) -> Iterator[Path]:
    with alsa_plugins(tmp_path, said=SONG) as played:
        yield played


def library_of(name: str) -> SimAlsa | None:
    return SimAlsa(SimSoundHardware()) if name == MODEL else None


async def until_end(engine: Engine) -> AsyncIterator[SoundEnded]:
    async for event in engine.events():
        if isinstance(event, SoundEnded):
            yield event
            return


async def undisturbed(play: Callable[[int], Awaitable[AlsaCard]]) -> None:
    """Plays until the machine held nobody up: else there is silence of ours in between."""
    for depth_ms in (DEPTH_MS, DEEP_MS, DEEP_MS):
        if not (await play(depth_ms)).xruns:
            return
    pytest.fail("the card ran dry in each of three tries")


@pytest.mark.slow
class TestAlsaCard(SoundCardContract):
    real_time = True

    @pytest.fixture(params=["loa_file", "loa_null", "loa_stereo", MODEL, *([CARD] if CARD else [])])
    async def card(self, request: pytest.FixtureRequest, played: Path) -> AsyncIterator[SoundCard]:
        depth_ms = DEPTH_MS if request.param != CARD else DEEP_MS
        card = AlsaCard(request.param, depth_ms=depth_ms, library=library_of(request.param))
        yield card
        await card.close()


@pytest.mark.slow
class TestAlsaMicrophone(MicrophoneContract):
    real_time = True

    @pytest.fixture(params=["loa_input", MODEL, *([CAPTURE] if CAPTURE else [])])
    def microphone(self, request: pytest.FixtureRequest, played: Path, tmp_path: Path) -> Microphone:
        return AlsaMicrophone(request.param, ring=tmp_path, library=library_of(request.param))


@pytest.mark.slow
class TestAlsaCapture(MicrophoneContract):
    real_time = True

    @pytest.fixture(params=["loa_null", *([CAPTURE] if CAPTURE else [])])
    def microphone(self, request: pytest.FixtureRequest, played: Path) -> Microphone:
        return AlsaCapture(request.param)


@pytest.mark.slow
class TestThroughAlsa:
    real_time = True

    async def test_every_sample_reaches_the_device(self, played: Path) -> None:
        async def play(depth_ms: int) -> AlsaCard:
            card = AlsaCard("loa_file", depth_ms=depth_ms)
            for begin in range(0, len(SONG), FRAME_BYTES):
                await card.write(SONG[begin : begin + FRAME_BYTES])
            await card.drain()
            await card.close()
            return card

        await undisturbed(play)
        assert played.read_bytes() == LEAD + SONG

    async def test_stereo_card_gets_both_channels(self, played: Path) -> None:
        async def play(depth_ms: int) -> AlsaCard:
            card = AlsaCard("loa_stereo", depth_ms=depth_ms)
            for begin in range(0, FRAME_BYTES * 20, FRAME_BYTES):
                await card.write(SONG[begin : begin + FRAME_BYTES])
            await card.close()
            return card

        await undisturbed(play)
        sound = played.read_bytes()
        assert audioop.tomono(sound, 2, 1, 0) == LEAD + SONG[: 20 * FRAME_BYTES]
        assert audioop.tomono(sound, 2, 0, 1) == LEAD + SONG[: 20 * FRAME_BYTES]

    async def test_capture_hears_every_sample(self, played: Path) -> None:
        source = await AlsaCapture("loa_input").open()
        heard = [await source.read() or b"" for _ in range(50)]
        await source.close()
        assert b"".join(heard) == SONG[: 50 * FRAME_BYTES]
        assert await source.read() is None

    async def test_programme_is_heard_whole(self, played: Path, tmp_path: Path) -> None:
        shelf = MediaShelf()
        media = shelf.put(encode(SONG, tmp_path / "song.wav"), duration_ms=2000)

        async def play(_: int) -> AlsaCard:
            clock, card = LoopClock(), AlsaCard("loa_file", depth_ms=DEEP_MS)
            board = SimBoard(clock)
            board.card = lambda: card  # type: ignore[assignment,method-assign,return-value]
            engine = Engine.on(board, clock=clock, player=PyAvPlayer(), store=shelf, voice=ToneVoice())
            async with engine:
                start = WallMs(clock.now().wall + AHEAD_MS)
                song = ProgrammeOutput(Rung.ORDINARY, "document", "song", start, start, media)
                await engine.switch(song, at=MonoMs(clock.now().mono + AHEAD_MS))
                ended = [event async for event in until_end(engine)][-1]
            await card.close()
            assert ended.reason is EndReason.COMPLETE
            assert card.xruns or abs(ended.began - start) <= TOLD_MS  # a try that is judged has none
            return card

        await undisturbed(play)
        # The engine fades the first and the last 20 ms.
        fade = FRAME_MS * 96
        assert find(SONG[fade:-fade], played.read_bytes()).correlation > 0.999


if CARD and CAPTURE:

    @pytest.mark.slow
    class TestLoopback:
        real_time = True

        async def test_loopback_hears_what_is_played(self) -> None:
            card, source = AlsaCard(CARD, depth_ms=DEEP_MS), await AlsaCapture(CAPTURE).open()

            async def play() -> None:
                for begin in range(0, len(SONG), FRAME_BYTES):
                    await card.write(SONG[begin : begin + FRAME_BYTES])
                await card.drain()

            playing = asyncio.create_task(play())
            heard = b"".join([await source.read() or b"" for _ in range(150)])
            await playing
            await source.close()
            await card.close()
            pieces = [SONG[begin : begin + len(SONG) // 4] for begin in range(0, len(SONG), len(SONG) // 4)]
            # An emulated machine may miss a moment.
            assert sum(find(piece, heard).correlation > 0.99 for piece in pieces) >= 3
