"""libVLC in its child process: what happens when it hangs or dies, and whether its sound is PyAV's."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from hardware.errors import MediaError
from hardware.interfaces import FRAME_MS, SAMPLE_RATE, SoundSource
from hardware.vlc_player import VlcPlayer
from hardware.vlc_source import VlcSource
from simulators.encoder import encode
from simulators.melody import melody
from simulators.player import PyAvPlayer

Wave = NDArray[np.float64]
SOUND = melody(5, duration_ms=12_000)
STEREO_44 = ("stereo.mp3", "stereo.m4a", "stereo.wav", "stereo.flac", "vorbis.ogg")
_CODECS = {".mp3": "libmp3lame", ".m4a": "aac", ".wav": "pcm_s16le", ".flac": "flac", ".ogg": "vorbis"}


async def all_of(source: SoundSource) -> bytes:
    frames = []
    while (frame := await source.read()) is not None:
        frames.append(frame)
    await source.close()
    return b"".join(frames)


def wave(sound: bytes) -> Wave:
    return np.frombuffer(sound, dtype="<i2").astype(np.float64)


def alike(one: Wave, other: Wave) -> float:
    """Correlation, 1 for the same wave."""
    return float(np.corrcoef(one, other)[0, 1])


def stereo(path: Path, *, rate: int = 44_100) -> Path:
    """Twelve seconds with a melody left and a quieter one right."""
    left, right = np.frombuffer(SOUND, "<i2"), np.frombuffer(melody(7, duration_ms=12_000), "<i2")
    both = np.stack([left, right // 2])
    codec = _CODECS[path.suffix]
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=rate, layout="stereo", options={"strict": "experimental"})
        assert isinstance(stream, av.audio.stream.AudioStream)
        resampler = av.AudioResampler(format=stream.format, layout="stereo", rate=rate, frame_size=1024)
        for begin in range(0, both.shape[1], 4096):
            frame = av.AudioFrame.from_ndarray(both[:, begin : begin + 4096].copy(), format="s16p", layout="stereo")
            frame.sample_rate, frame.pts = SAMPLE_RATE, begin
            for out in resampler.resample(frame):
                container.mux(stream.encode(out))
        for out in resampler.resample(None):
            container.mux(stream.encode(out))
        container.mux(stream.encode(None))
    return path


@pytest.fixture(scope="module")
def song(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return encode(SOUND, tmp_path_factory.mktemp("song") / "song.flac")


def hit(source: VlcSource, how: signal.Signals) -> int:
    """Sends a signal to the child; returns its process number."""
    assert source.process is not None
    os.kill(source.process.pid, how)
    return source.process.pid


async def play_at_pace(
    source: VlcSource, *, at_frame: int, act: Callable[[VlcSource], object]
) -> tuple[bytes, float]:
    """Reads as a sound card does; gives the sound and how late the latest frame came, in seconds."""
    loop = asyncio.get_running_loop()
    begin, latest = loop.time(), 0.0
    sound: list[bytes] = []
    while True:
        due = begin + len(sound) * FRAME_MS / 1000
        await asyncio.sleep(due - loop.time())
        frame = await source.read()
        if frame is None:
            break
        latest = max(latest, loop.time() - due)
        sound.append(frame)
        if len(sound) == at_frame:
            act(source)
    await source.close()
    return b"".join(sound), latest


@pytest.mark.slow
@pytest.mark.parametrize("how", [signal.SIGSTOP, signal.SIGKILL])
async def test_lost_library_is_replaced_and_nobody_hears_it(song: Path, how: signal.Signals) -> None:
    source = await VlcPlayer().open(song)
    sound, latest_s = await play_at_pace(source, at_frame=100, act=lambda one: hit(one, how))
    assert sound[: len(SOUND)] == SOUND
    assert latest_s < 0.5


@pytest.mark.slow
async def test_hanging_library_is_noticed_within_two_seconds(song: Path) -> None:
    loop = asyncio.get_running_loop()
    source = await VlcPlayer().open(song)
    first = hit(source, signal.SIGSTOP)
    stopped_at = loop.time()
    sound = [await source.read() or b""]  # room for more is made by reading
    while source.process is None or source.process.pid == first:
        sound.append(await source.read() or b"") if source.held_frames > 1 else await asyncio.sleep(0.01)
        assert loop.time() - stopped_at < 10
    assert loop.time() - stopped_at < 3
    assert b"".join(sound) + await all_of(source) == SOUND
    with pytest.raises(ProcessLookupError):
        os.kill(first, 0)


@pytest.mark.slow
async def test_library_that_dies_again_and_again_is_given_up(tmp_path: Path) -> None:
    path = encode(melody(5, duration_ms=60_000), tmp_path / "long.wav")
    source = await VlcPlayer().open(path)

    async def kill_each() -> None:
        seen: set[int] = set()
        while not source.finished:
            if source.process is not None and source.process.pid not in seen:
                seen.add(hit(source, signal.SIGKILL))
            await asyncio.sleep(0)

    killing = asyncio.create_task(kill_each())
    with pytest.raises(MediaError, match="lost"):
        await all_of(source)
    await killing
    await source.close()


@pytest.mark.slow
async def test_closed_sound_leaves_no_process(song: Path) -> None:
    source = await VlcPlayer().open(song)
    assert source.process is not None
    pid = source.process.pid
    await source.close()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


@pytest.mark.slow
async def test_many_sounds_at_once(song: Path) -> None:
    sources = await asyncio.gather(*(VlcPlayer().open(song, offset_ms=9000) for _ in range(4)))
    sounds = await asyncio.gather(*(all_of(source) for source in sources))
    assert {sound[: 3 * 96_000] for sound in sounds} == {SOUND[9 * 96_000 :]}


@pytest.mark.slow
@pytest.mark.parametrize("name", STEREO_44)
@pytest.mark.parametrize("offset_ms", [0, 7_654])
async def test_stereo_at_another_rate_sounds_as_pyav_makes_it(tmp_path: Path, name: str, offset_ms: int) -> None:
    path = stereo(tmp_path / name)
    ours = wave(await all_of(await VlcPlayer().open(path, offset_ms=offset_ms)))
    theirs = wave(await all_of(await PyAvPlayer().open(path, offset_ms=offset_ms)))
    assert abs(len(ours) - len(theirs)) <= 960
    count = min(len(ours), len(theirs)) - 960
    likeness = {lag: alike(ours[2_000:count], theirs[2_000 + lag : count + lag]) for lag in range(-3, 4)}
    # PyAV's player rounds an offset to the nearest sample of 48 kHz, which may be the one beside ours.
    assert max(likeness, key=lambda lag: likeness[lag]) in (-1, 0, 1)
    assert likeness[0] > 0.998
    assert ours[2_000:count].std() == pytest.approx(theirs[2_000:count].std(), rel=0.01)


@pytest.mark.slow
@pytest.mark.parametrize("name", STEREO_44)
async def test_offset_at_another_rate_is_exact_to_the_sample(tmp_path: Path, name: str) -> None:
    path = stereo(tmp_path / name)
    whole = wave(await all_of(await VlcPlayer().open(path)))
    for offset_ms in (40, 1_234, 9_999):
        part = wave(await all_of(await VlcPlayer().open(path, offset_ms=offset_ms)))[:48_000]
        # The same samples: half a sample of 48 kHz aside, it would be 0.9996.
        assert alike(part, whole[offset_ms * 48 : offset_ms * 48 + len(part)]) > 0.999_99


@pytest.mark.slow
@pytest.mark.parametrize("name", ["long.mp3", "long.opus", "long.m4a", "long.flac"])
async def test_offset_far_into_a_long_file(tmp_path: Path, name: str) -> None:
    path = encode(melody(5, duration_ms=300_000), tmp_path / name)
    ours = wave(await all_of(await VlcPlayer().open(path, offset_ms=295_013)))
    theirs = wave(await all_of(await PyAvPlayer().open(path, offset_ms=295_013)))
    assert abs(len(ours) - len(theirs)) <= 960
    count = min(len(ours), len(theirs)) - 960
    assert alike(ours[:count], theirs[:count]) > 0.99


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("list.m3u", "#EXTM3U\n#EXTINF:1,\n{song}\n"),
        ("list.mp3", "ffconcat version 1.0\nfile {song}\n"),
        ("list.pls", "[playlist]\nFile1=file://{song}\nNumberOfEntries=1\n"),
        ("list.opus", '<?xml version="1.0"?><asx version="3.0"><entry><ref href="file://{song}"/></entry></asx>'),
    ],
)
async def test_list_of_files_is_no_sound(tmp_path: Path, song: Path, name: str, text: str) -> None:
    path = tmp_path / name
    path.write_text(text.format(song=song))
    with pytest.raises(MediaError):
        await VlcPlayer().open(path)


@pytest.mark.slow
async def test_child_is_confined(song: Path) -> None:
    source = await VlcPlayer().open(song)
    assert source.process is not None
    folder = Path(f"/proc/{source.process.pid}")
    limits = {line[:26].strip(): line[26:].split()[0] for line in (folder / "limits").read_text().splitlines()[1:]}
    state = (folder / "status").read_text()
    await source.close()
    assert int(limits["Max address space"]) == 512 << 20
    assert limits["Max core file size"] == "0"
    assert "NoNewPrivs:\t1" in state
