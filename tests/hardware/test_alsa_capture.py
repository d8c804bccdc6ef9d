"""An input in the field: pulled out, read too late, read by nobody."""

from __future__ import annotations

import asyncio
import threading
from array import array

import pytest

from hardware.alsa_capture import AlsaCapture
from hardware.errors import CardLostError
from hardware.interfaces import FRAME_BYTES, FRAME_SAMPLES, SoundSource
from simulators.alsa_library import SimAlsa, SimSoundHardware


def counted(first: int, count: int) -> bytes:
    """Samples that tell their own number."""
    return array("h", ((first + index) % 30_000 for index in range(count))).tobytes()


@pytest.fixture
def stick() -> SimSoundHardware:
    return SimSoundHardware(says=counted)


@pytest.fixture
def alsa(stick: SimSoundHardware) -> SimAlsa:
    return SimAlsa(stick)


async def read(source: SoundSource) -> bytes:
    frame = await source.read()
    assert frame is not None and len(frame) == FRAME_BYTES
    return frame


async def test_samples_come_without_a_gap(alsa: SimAlsa) -> None:
    source = await AlsaCapture("hw:1", library=alsa).open()
    heard = b"".join([await read(source) for _ in range(5)])
    assert heard == counted(0, 5 * FRAME_SAMPLES)
    await source.close()
    assert await source.read() is None
    assert not alsa.open_pcms


async def test_reader_held_up_for_a_moment_loses_nothing(alsa: SimAlsa) -> None:
    source = await AlsaCapture("hw:1", library=alsa).open()
    first = await read(source)
    threading.Event().wait(0.035)
    assert first + await read(source) + await read(source) == counted(0, 3 * FRAME_SAMPLES)
    await source.close()


async def test_late_reader_skips_the_past(alsa: SimAlsa) -> None:
    capture = AlsaCapture("hw:1", library=alsa)
    source = await capture.open()
    await read(source)
    threading.Event().wait(0.12)
    (number,) = array("h", (await read(source))[:2])
    assert number > 4 * FRAME_SAMPLES
    assert capture.xruns == 0
    await source.close()


async def test_input_that_ran_over_starts_anew(alsa: SimAlsa) -> None:
    capture = AlsaCapture("hw:1", library=alsa)
    source = await capture.open()
    await read(source)
    threading.Event().wait(0.24)
    assert await read(source) == counted(0, FRAME_SAMPLES)
    assert capture.xruns == 1
    await source.close()


async def test_pulled_microphone_says_so(alsa: SimAlsa, stick: SimSoundHardware) -> None:
    capture = AlsaCapture("hw:1", library=alsa)
    source = await capture.open()
    await read(source)
    stick.present = False
    with pytest.raises(CardLostError):
        await read(source)
    await source.close()
    with pytest.raises(CardLostError):
        await capture.open()
    stick.present = True
    source = await capture.open()
    await read(source)
    await source.close()


@pytest.mark.slow
async def test_input_that_delivers_nothing_is_lost(alsa: SimAlsa, monkeypatch: pytest.MonkeyPatch) -> None:
    source = await AlsaCapture("hw:1", library=alsa).open()
    await read(source)
    (pcm,) = alsa.open_pcms
    monkeypatch.setattr(pcm, "read", lambda: (0, b""))
    with pytest.raises(CardLostError, match="stands still"):
        await read(source)
    await source.close()


async def test_suspended_input_goes_on(alsa: SimAlsa, stick: SimSoundHardware) -> None:
    capture = AlsaCapture("hw:1", library=alsa)
    source = await capture.open()
    await read(source)
    stick.suspended = True
    await read(source)
    assert capture.xruns == 1
    await source.close()


async def test_gain_of_the_input_is_set(alsa: SimAlsa, stick: SimSoundHardware) -> None:
    source = await AlsaCapture("hw:1", mixer="PCM", library=alsa).open()
    assert (stick.volume, stick.muted) == (75, False)
    await source.close()


async def test_pressing_again_takes_the_input_over(alsa: SimAlsa) -> None:
    capture = AlsaCapture("hw:1", library=alsa)
    former = await capture.open()
    await read(former)
    source = await capture.open()
    assert len(alsa.open_pcms) == 1
    assert await former.read() is None
    await former.close()
    assert await read(source) == counted(0, FRAME_SAMPLES)
    await source.close()
    assert not alsa.open_pcms


async def test_microphone_given_up_while_it_opens_is_not_left_open(alsa: SimAlsa) -> None:
    capture = AlsaCapture("hw:1", library=alsa)
    opening = asyncio.create_task(capture.open())
    await asyncio.sleep(0)
    opening.cancel()
    with pytest.raises(asyncio.CancelledError):
        await opening
    await capture.run(lambda: None)
    assert not alsa.open_pcms


async def test_microphone_with_an_error_nobody_knows_is_a_lost_one(
    alsa: SimAlsa, monkeypatch: pytest.MonkeyPatch
) -> None:
    capture = AlsaCapture("hw:1", library=alsa)
    source = await capture.open()
    await read(source)
    (pcm,) = alsa.open_pcms

    def fail() -> int:
        raise alsa.ALSAAudioError("File descriptor in bad state")

    monkeypatch.setattr(pcm, "avail", fail)
    with pytest.raises(CardLostError, match="bad state"):
        await source.read()
    await source.close()
    assert not alsa.open_pcms


async def test_hanging_microphone_is_not_touched_until_it_comes_back(
    alsa: SimAlsa, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A second call into a hanging driver hangs, too; and closing what it is reading from is a crash."""
    capture = AlsaCapture("hw:1", library=alsa, patience_s=0.05)
    source = await capture.open()
    await read(source)
    (pcm,) = alsa.open_pcms
    released, dropped = threading.Event(), list[bool]()
    former_read, former_drop = pcm.read, pcm.drop

    def hang() -> tuple[int, bytes]:
        released.wait()
        return former_read()

    def drop() -> int:
        dropped.append(released.is_set())
        return former_drop()

    monkeypatch.setattr(pcm, "read", hang)
    monkeypatch.setattr(pcm, "drop", drop)
    with pytest.raises(CardLostError, match="has not answered"):
        await source.read()
    await source.close()
    assert await source.read() is None
    released.set()
    while alsa.open_pcms:
        await asyncio.sleep(0.005)
    assert dropped == [True]
    again = await capture.open()
    await read(again)
    await again.close()


async def test_opening_given_up_is_in_nobodys_way(alsa: SimAlsa) -> None:
    capture = AlsaCapture("hw:1", library=alsa)
    opening = asyncio.create_task(capture.open())
    await asyncio.sleep(0)
    opening.cancel()
    source = await capture.open()
    assert len(alsa.open_pcms) == 1
    await source.close()
