"""A sound card in the field: pulled out, plugged in elsewhere, run dry, suspended, turned down."""

from __future__ import annotations

import asyncio
import logging
import threading
from pathlib import Path

import pytest

from hardware.alsa_card import DEPTH_MS, AlsaCard
from hardware.errors import CardLostError
from hardware.interfaces import FRAME_BYTES, FRAME_MS, SILENT_FRAME
from simulators.alsa_library import SimAlsa, SimPcm, SimSoundHardware
from tests.hardware.test_alsa_names import STICK, plug

NAME = f"usb:{STICK}"
LOUD_FRAME = b"\x10\x20" * (FRAME_BYTES // 2)


@pytest.fixture
def stick() -> SimSoundHardware:
    return SimSoundHardware()


@pytest.fixture
def alsa(stick: SimSoundHardware) -> SimAlsa:
    return SimAlsa(stick)


async def test_name_without_a_card_is_lost(alsa: SimAlsa, tmp_path: Path) -> None:
    card = AlsaCard(NAME, library=alsa, root=tmp_path)
    with pytest.raises(CardLostError, match="plugged in"):
        await card.write(SILENT_FRAME)
    await card.drain()
    await card.close()


async def test_late_stick_is_found(alsa: SimAlsa, tmp_path: Path) -> None:
    card = AlsaCard(NAME, library=alsa, root=tmp_path)
    with pytest.raises(CardLostError):
        await card.write(SILENT_FRAME)
    plug(tmp_path, 1, "Device", usb=STICK, port="1-1.2")
    await card.write(SILENT_FRAME)
    assert card.opened == 1
    await card.close()


async def test_pulled_stick_comes_back_elsewhere(alsa: SimAlsa, stick: SimSoundHardware, tmp_path: Path) -> None:
    plug(tmp_path / "before", 1, "Device", usb=STICK, port="1-1.2")
    plug(tmp_path / "after", 4, "Device", usb=STICK, port="1-1.2")
    root = tmp_path / "now"
    root.symlink_to("before")
    card = AlsaCard(NAME, library=alsa, root=root)
    await card.write(SILENT_FRAME)
    stick.present = False
    for _ in range(2):
        with pytest.raises(CardLostError):
            await card.write(SILENT_FRAME)
    assert not alsa.open_pcms
    assert card.delay_ms() > 0
    await card.drain()
    alsa.cards = {4: SimSoundHardware(4)}
    root.unlink()
    root.symlink_to("after")
    await card.write(SILENT_FRAME)
    assert card.opened == 2
    assert card.xruns == 0
    await card.close()
    assert not alsa.open_pcms


async def test_card_that_goes_while_it_rests_is_noticed(alsa: SimAlsa, stick: SimSoundHardware) -> None:
    card = AlsaCard("hw:1", library=alsa)
    await card.write(SILENT_FRAME)
    await card.drain()
    stick.present = False
    with pytest.raises(CardLostError):
        await card.write(SILENT_FRAME)
    await card.close()


async def test_taken_card_is_lost_until_it_is_free(alsa: SimAlsa, stick: SimSoundHardware) -> None:
    stick.taken = True
    card = AlsaCard("hw:1", library=alsa)
    with pytest.raises(CardLostError, match="busy"):
        await card.write(SILENT_FRAME)
    stick.taken = False
    await card.write(SILENT_FRAME)
    await card.close()


async def test_dry_card_goes_on_and_is_filled_deeper(alsa: SimAlsa, stick: SimSoundHardware) -> None:
    card = AlsaCard("hw:1", library=alsa)
    await card.write(LOUD_FRAME)
    # Nobody in the event loop is at fault here: the thread itself came too late.
    pcm = next(iter(alsa.open_pcms))
    while pcm.state() == alsa.PCM_STATE_RUNNING:
        threading.Event().wait(0.005)
    await card.write(LOUD_FRAME)
    await card.drain()
    assert card.xruns == 1
    assert card.depth_ms == DEPTH_MS + FRAME_MS
    assert bytes(stick.heard).count(LOUD_FRAME) == 2
    await card.close()


async def test_suspended_card_goes_on(alsa: SimAlsa, stick: SimSoundHardware) -> None:
    card = AlsaCard("hw:1", library=alsa)
    await card.write(SILENT_FRAME)
    stick.suspended = True
    await card.write(LOUD_FRAME)
    await card.drain()
    assert card.xruns == 1
    assert card.opened == 1
    assert LOUD_FRAME in bytes(stick.heard)
    await card.close()


async def test_write_given_up_opens_nothing_behind_the_close(alsa: SimAlsa) -> None:
    card = AlsaCard("hw:1", library=alsa)
    await card.write(SILENT_FRAME)
    writing = asyncio.create_task(card.write(SILENT_FRAME))
    await asyncio.sleep(0)
    writing.cancel()
    await card.close()
    assert card.opened == 1
    assert not alsa.open_pcms


async def test_write_given_up_while_it_opens_opens_once(alsa: SimAlsa) -> None:
    card = AlsaCard("hw:1", library=alsa)
    writing = asyncio.create_task(card.write(SILENT_FRAME))
    await asyncio.sleep(0)
    writing.cancel()
    await card.write(SILENT_FRAME)
    assert (card.opened, len(alsa.open_pcms)) == (1, 1)
    await card.close()


async def test_stereo_card_is_opened_through_plug(alsa: SimAlsa, stick: SimSoundHardware) -> None:
    stick.stereo_only = True
    card = AlsaCard("hw:1", library=alsa)
    await card.write(SILENT_FRAME)
    (pcm,) = alsa.open_pcms
    assert pcm.info()["name"] == "plug:'hw:1'"
    await card.close()


async def test_card_that_takes_no_sound_of_ours_is_refused(alsa: SimAlsa, monkeypatch: pytest.MonkeyPatch) -> None:
    agreed = SimPcm.info
    monkeypatch.setattr(SimPcm, "info", lambda self: agreed(self) | {"rate": 44_100})
    card = AlsaCard("hw:1", library=alsa)
    with pytest.raises(CardLostError, match="48000"):
        await card.write(SILENT_FRAME)
    assert not alsa.open_pcms
    await card.close()


async def test_hanging_driver_is_given_up(alsa: SimAlsa, monkeypatch: pytest.MonkeyPatch) -> None:
    released = threading.Event()
    write = SimPcm.write

    def hang(self: SimPcm, samples: bytes) -> int:
        released.wait()
        return write(self, samples)

    card = AlsaCard("hw:1", library=alsa, patience_s=0.05)
    monkeypatch.setattr(SimPcm, "write", hang)
    with pytest.raises(CardLostError, match="has not answered"):
        await card.write(SILENT_FRAME)
    monkeypatch.setattr(SimPcm, "write", write)
    # As long as the call hangs it holds the device.
    with pytest.raises(CardLostError, match="busy"):
        await card.write(SILENT_FRAME)
    released.set()
    while alsa.open_pcms:
        await asyncio.sleep(0.01)
    await card.write(SILENT_FRAME)
    assert card.opened == 2
    await card.close()


async def test_card_with_an_error_nobody_knows_is_opened_anew(alsa: SimAlsa, monkeypatch: pytest.MonkeyPatch) -> None:
    """Such as that its descriptors or its state cannot be had: kept, it would never sound again."""
    card = AlsaCard("hw:1", library=alsa)
    await card.write(SILENT_FRAME)
    (pcm,) = alsa.open_pcms

    def fail() -> int:
        raise alsa.ALSAAudioError("File descriptor in bad state")

    monkeypatch.setattr(pcm, "state", fail)
    with pytest.raises(CardLostError, match="bad state"):
        await card.write(SILENT_FRAME)
    await card.write(SILENT_FRAME)
    assert (card.opened, len(alsa.open_pcms)) == (2, 1)
    await card.close()


async def test_card_is_used_again_whoever_waited_for_it_while_it_hung(
    alsa: SimAlsa, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was opened meanwhile must not be forgotten open: nobody could open it a second time."""
    card, released, write = AlsaCard("hw:1", library=alsa, patience_s=0.1), threading.Event(), SimPcm.write

    def hang(self: SimPcm, samples: bytes) -> int:
        released.wait()
        return write(self, samples)

    monkeypatch.setattr(SimPcm, "write", hang)
    writing = asyncio.create_task(card.write(SILENT_FRAME))
    await asyncio.sleep(0.05)
    waiting = asyncio.create_task(card.write(SILENT_FRAME))
    await asyncio.wait([writing])
    assert isinstance(writing.exception(), CardLostError)
    monkeypatch.setattr(SimPcm, "write", write)
    (hung,) = alsa.open_pcms
    alsa.open_pcms.clear()  # it has been pulled out and plugged in again
    await card.write(SILENT_FRAME)
    await asyncio.wait([waiting])
    assert isinstance(waiting.exception(), CardLostError)
    await card.write(SILENT_FRAME)
    assert card.opened == 2
    released.set()
    await card.close()
    assert hung not in alsa.open_pcms


@pytest.mark.parametrize(
    ("decibels", "volume"), [(None, (100, None)), ((-3700, 0), (100, 0)), ((-10_239, 400), (100, 0))]
)
async def test_mixer_stands_where_it_should(
    alsa: SimAlsa, stick: SimSoundHardware, decibels: tuple[int, int] | None, volume: tuple[int, int | None]
) -> None:
    stick.decibels = decibels
    card = AlsaCard("hw:1", mixer="PCM", library=alsa)
    await card.write(SILENT_FRAME)
    assert (stick.volume, stick.volume_decibels) == volume
    assert not stick.muted
    await card.close()


async def test_mixer_is_left_alone_unless_named(alsa: SimAlsa, stick: SimSoundHardware) -> None:
    card = AlsaCard("hw:1", library=alsa)
    await card.write(SILENT_FRAME)
    assert stick.volume == 30
    await card.close()


async def test_missing_mixer_silences_nobody(
    alsa: SimAlsa, stick: SimSoundHardware, caplog: pytest.LogCaptureFixture
) -> None:
    card = AlsaCard("hw:1", mixer="Master", library=alsa)
    with caplog.at_level(logging.WARNING):
        await card.write(SILENT_FRAME)
    assert "Master" in caplog.text
    await card.close()


async def test_missing_library_is_a_lost_card(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "alsaaudio", None)
    card = AlsaCard("default")
    with pytest.raises(CardLostError, match="pyalsaaudio"):
        await card.write(SILENT_FRAME)
    await card.close()
