"""What every Player promises."""

from __future__ import annotations

import gc
from pathlib import Path

import pytest

from edge.ports import FRAME_BYTES, SAMPLE_RATE, MediaError, Player, SoundSource
from simulators.encoder import encode, opus_packets
from simulators.listening import find
from simulators.melody import melody

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
