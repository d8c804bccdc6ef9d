"""What every Player promises, of files and of streams."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from edge.ports import FRAME_BYTES, SAMPLE_RATE, MediaError, Player, SoundSource
from simulators.encoder import encode, opus_packets
from simulators.listening import find
from simulators.melody import melody
from simulators.web_radio import WebRadio, tune

LENGTH_MS = 6000
SOUND = melody(3, duration_ms=LENGTH_MS)
FORMATS = ("song.opus", "song.ogg", "song.mp3", "song.m4a", "song.wav", "song.flac")


async def read_all(source: SoundSource) -> bytes:
    frames = []
    while (frame := await source.read()) is not None:
        assert len(frame) == FRAME_BYTES
        frames.append(frame)
    await source.close()
    return b"".join(frames)


@pytest.fixture(scope="session")
def songs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The same six seconds in all formats."""
    folder = tmp_path_factory.mktemp("songs")
    return {name: encode(SOUND, folder / name) for name in FORMATS}


class PlayerContract:
    """Subclasses give the player."""

    @pytest.fixture
    def player(self) -> Player:
        raise NotImplementedError

    @pytest.mark.parametrize("name", FORMATS)
    async def test_file_is_played_whole(self, player: Player, songs: dict[str, Path], name: str) -> None:
        sound = await read_all(await player.open(songs[name]))
        assert abs(len(sound) // 96 - LENGTH_MS) <= 20
        found = find(SOUND[96_000 : 96_000 * 5], sound)
        assert found.offset_ms == pytest.approx(1000, abs=0.05)
        assert found.correlation > 0.98

    @pytest.mark.parametrize("name", FORMATS)
    @pytest.mark.parametrize("offset_ms", [40, 1234, 4321])
    async def test_offset_is_exact_to_the_sample(
        self, player: Player, songs: dict[str, Path], name: str, offset_ms: int
    ) -> None:
        whole = await read_all(await player.open(songs[name]))
        sound = await read_all(await player.open(songs[name], offset_ms=offset_ms))
        part = sound[: SAMPLE_RATE * 2]
        found = find(part, whole)
        assert found.offset_ms == pytest.approx(offset_ms, abs=0.02)
        assert found.correlation > 0.99
        assert abs(len(whole) - len(sound) - offset_ms * 96) <= FRAME_BYTES

    async def test_other_rates_are_brought_to_the_bus(self, player: Player, tmp_path: Path) -> None:
        path = encode(SOUND, tmp_path / "slow.wav", rate=24_000)
        assert abs(len(await read_all(await player.open(path))) // 96 - 2 * LENGTH_MS) <= 20

    async def test_file_that_is_no_sound(self, player: Player, tmp_path: Path) -> None:
        path = tmp_path / "letter.mp3"
        path.write_text("Kính gửi ủy ban nhân dân xã")
        with pytest.raises(MediaError):
            await player.open(path)

    async def test_empty_file(self, player: Player, tmp_path: Path) -> None:
        path = tmp_path / "empty.opus"
        path.write_bytes(b"")
        with pytest.raises(MediaError):
            await player.open(path)

    async def test_missing_file(self, player: Player, tmp_path: Path) -> None:
        with pytest.raises(MediaError):
            await player.open(tmp_path / "nothing.opus")

    async def test_offset_behind_the_end(self, player: Player, songs: dict[str, Path]) -> None:
        with pytest.raises(MediaError):
            await player.open(songs["song.opus"], offset_ms=LENGTH_MS + 1000)

    async def test_file_that_is_cut_off(self, player: Player, songs: dict[str, Path], tmp_path: Path) -> None:
        data = songs["song.opus"].read_bytes()
        path = tmp_path / "half.opus"
        path.write_bytes(data[: len(data) // 2])
        sound = await read_all(await player.open(path))
        assert 2000 < len(sound) // 96 < 4000

    async def test_source_may_be_closed_early_and_twice(self, player: Player, songs: dict[str, Path]) -> None:
        source = await player.open(songs["song.opus"])
        await source.read()
        await source.close()
        await source.close()
        gc.collect()

    async def test_opus_packets_become_frames(self, player: Player) -> None:
        decoder = player.packet_decoder()
        frames = [decoder.decode(packet) for packet in opus_packets(SOUND)]
        assert {len(frame) for frame in frames} == {FRAME_BYTES}
        assert find(SOUND[96_000 : 96_000 * 3], b"".join(frames)).correlation > 0.98

    @pytest.mark.parametrize("packet", [b"", b"no Opus", b"\xff" * 40])
    async def test_packet_that_is_no_opus(self, player: Player, packet: bytes) -> None:
        decoder = player.packet_decoder()
        with pytest.raises(MediaError):
            decoder.decode(packet)
        assert len(decoder.decode(opus_packets(SOUND)[0])) == FRAME_BYTES


class StreamContract:
    """What every Player promises of streams, against a station on a real socket. Subclasses give the player."""

    real_time = True
    ends_within_s = 2.5

    @pytest.fixture
    def player(self) -> Player:
        raise NotImplementedError

    @pytest.fixture
    async def radio(self) -> AsyncIterator[WebRadio]:
        async with WebRadio() as radio:
            yield radio

    @pytest.mark.slow
    @pytest.mark.parametrize("path", ["radio.mp3", "radio.opus", "radio.aac", "hls/radio.m3u8", "moved?/radio.mp3"])
    async def test_station_sounds_at_its_pace(self, player: Player, radio: WebRadio, path: str) -> None:
        loop = asyncio.get_running_loop()
        source = await player.open_stream(radio.address(path))
        frames = [await source.read()]
        before = loop.time()
        frames += [await source.read() for _ in range(75)]
        assert loop.time() - before == pytest.approx(1.5, abs=0.2)
        await source.close()
        await source.close()
        assert {len(frame or b"") for frame in frames} == {FRAME_BYTES}
        assert find(b"".join(frame or b"" for frame in frames[25:]), tune() * 2).correlation > 0.95

    @pytest.mark.slow
    async def test_burst_at_the_beginning_is_not_hurried(self, player: Player) -> None:
        loop = asyncio.get_running_loop()
        async with WebRadio(burst_ms=4000) as radio:
            source = await player.open_stream(radio.address("radio.mp3"))
            await source.read()
            before = loop.time()
            frames = [await source.read() for _ in range(75)]
            assert loop.time() - before == pytest.approx(1.5, abs=0.2)
            assert all(frames)
            await source.close()

    @pytest.mark.slow
    @pytest.mark.parametrize("path", ["radio.mp3", "radio.opus"])
    async def test_station_that_closes_ends_the_sound(self, player: Player, radio: WebRadio, path: str) -> None:
        source = await player.open_stream(radio.address(path))
        await source.read()
        await radio.close()
        await self._reads_its_end(source, within_s=self.ends_within_s)
        await source.close()

    @pytest.mark.slow
    async def test_station_that_falls_silent_ends_the_sound(self, player: Player, radio: WebRadio) -> None:
        source = await player.open_stream(radio.address("radio.mp3"))
        await source.read()
        radio.fall_silent()
        await self._reads_its_end(source, within_s=4)
        await source.close()

    @pytest.mark.slow
    async def test_end_of_a_station_is_not_the_end_of_the_next(self, player: Player, radio: WebRadio) -> None:
        await radio.close()
        with pytest.raises(MediaError):
            await player.open_stream(radio.address("radio.mp3"))
        await radio.open()
        source = await player.open_stream(radio.address("radio.mp3"))
        assert await source.read()
        await source.close()

    @pytest.mark.slow
    async def test_station_that_never_answers(self, player: Player, radio: WebRadio) -> None:
        loop = asyncio.get_running_loop()
        radio.fall_silent()
        before = loop.time()
        with pytest.raises(MediaError):
            await player.open_stream(radio.address("radio.mp3"))
        assert loop.time() - before < 12

    @pytest.mark.slow
    @pytest.mark.parametrize(
        "path", ["letter", "nothing", "moved?file://{song}", "list?file://{song}", "moved?rtp://@:9"]
    )
    async def test_answer_that_is_no_sound(
        self, player: Player, radio: WebRadio, songs: dict[str, Path], path: str
    ) -> None:
        with pytest.raises(MediaError):
            await player.open_stream(radio.address(path.format(song=songs["song.mp3"])))

    @pytest.mark.parametrize("scheme", ["file", "ftp", "concat", "data", "tcp", ""])
    async def test_address_of_another_kind(self, player: Player, songs: dict[str, Path], scheme: str) -> None:
        with pytest.raises(MediaError):
            await player.open_stream(f"{scheme}://{songs['song.mp3']}")

    async def _reads_its_end(self, source: SoundSource, *, within_s: float) -> None:
        try:
            async with asyncio.timeout(within_s):
                while await source.read() is not None:
                    pass
        except MediaError:
            pass
