"""The simulated board, the PyAV player and both sound paths keep the contracts."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from edge.audio.engine import Engine
from edge.ports import SILENT_FRAME, Amplifier, CardLostError, FmTuner, Microphone, Player, SoundCard
from simulators.amplifier import SimAmplifier
from simulators.board import SimBoard
from simulators.encoder import encode, opus_packets
from simulators.fm_station import SimEther, SimStation
from simulators.light_audio import LightAudio
from simulators.loop_clock import LoopClock
from simulators.media_shelf import MediaShelf
from simulators.melody import melody
from simulators.player import PyAvPlayer
from simulators.radio import Radio, RadioPlayer
from simulators.tone_voice import ToneVoice
from tests.contracts.sound.amplifier_contract import AmplifierContract
from tests.contracts.sound.audio_contract import LENGTH_MS, STREAM, AudioContract, Stage
from tests.contracts.sound.fm_tuner_contract import FREQUENCY_KHZ, FmTunerContract
from tests.contracts.sound.microphone_contract import MicrophoneContract
from tests.contracts.sound.player_contract import PlayerContract, songs
from tests.contracts.sound.sound_card_contract import SoundCardContract

__all__ = ["songs"]

SONG = melody(8, duration_ms=LENGTH_MS)


@pytest.fixture
async def board() -> SimBoard:
    clock = LoopClock()
    station = SimStation(FREQUENCY_KHZ, melody(2, duration_ms=5000), pi="A201")
    return SimBoard(clock, ether=SimEther(station))


class TestPyAvPlayer(PlayerContract):
    @pytest.fixture
    def player(self) -> Player:
        return PyAvPlayer()


class TestPyAvPlayerInThreads(PlayerContract):
    real_time = True

    @pytest.fixture
    def player(self) -> Player:
        return PyAvPlayer()


class TestSimSoundCard(SoundCardContract):
    @pytest.fixture
    def card(self, board: SimBoard) -> SoundCard:
        return board.card()

    async def test_unplugged_card_says_so(self, board: SimBoard) -> None:
        await board.card().write(SILENT_FRAME)
        board.sound_card.unplug()
        with pytest.raises(CardLostError):
            await board.card().write(SILENT_FRAME)
        await board.card().drain()
        board.sound_card.plug()
        await board.card().write(SILENT_FRAME)


class TestSimMicrophone(MicrophoneContract):
    @pytest.fixture
    def microphone(self, board: SimBoard) -> Microphone:
        return board.microphone()

    async def test_broken_microphone_says_so(self, board: SimBoard) -> None:
        source = await board.microphone().open()
        board.sim_microphone.broken = True
        with pytest.raises(CardLostError):
            await source.read()
        with pytest.raises(CardLostError):
            await board.microphone().open()


class TestSimTuner(FmTunerContract):
    pi = "A201"

    @pytest.fixture
    def tuner(self, board: SimBoard) -> FmTuner:
        tuner = board.tuner()
        assert tuner is not None
        return tuner


class TestSimAmplifier(AmplifierContract):
    @pytest.fixture
    def amplifier(self, board: SimBoard) -> Amplifier:
        return board.amplifier()

    def line(self, amplifier: Amplifier) -> bool:
        assert isinstance(amplifier, SimAmplifier)
        return amplifier.on


@pytest.fixture(scope="session")
def song(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return encode(SONG, tmp_path_factory.mktemp("song") / "song.wav")


class TestEngine(AudioContract):
    @pytest.fixture
    async def stage(self, board: SimBoard, song: Path) -> AsyncIterator[Stage]:
        clock, shelf = LoopClock(), MediaShelf()
        media = shelf.put(song, duration_ms=LENGTH_MS)
        board.sim_microphone.recording = SONG * 3
        player, radio = RadioPlayer(clock, PyAvPlayer()), Radio(SONG)
        player.radios[STREAM] = radio
        engine = Engine.on(board, clock=clock, player=player, store=shelf, voice=ToneVoice())

        def send(on: bool) -> None:
            radio.sends = on

        async with engine:
            packets = opus_packets(SONG[:96_000])
            yield Stage(engine, clock, media, packets, lambda: send(False), lambda: send(True))


class TestLightAudio(AudioContract):
    @pytest.fixture
    async def stage(self, song: Path) -> AsyncIterator[Stage]:
        clock, shelf = LoopClock(), MediaShelf()
        media = shelf.put(song, duration_ms=LENGTH_MS)
        async with LightAudio(clock, shelf) as audio:
            audio.dead_streams.add("http://radio.vn/nobody")
            yield Stage(audio, clock, media, opus_packets(SONG[:96_000]), audio.stop_stream, audio.resume_stream)
