"""The journal: every event goes there and back, and the card is not worn out."""

from __future__ import annotations

import asyncio
import logging
import typing
from pathlib import Path

import pytest

from edge.adapters.event_codec import decode_line, encode_line
from edge.adapters.journal import FILES_MAX, Journal, read_journal
from edge.core import events
from edge.core.events import ClockSource, Event, Route
from edge.disk import Disk
from protocol.clock import ClockTrust, MonoMs, Now, WallMs
from protocol.errors import Refusal
from protocol.report import EndReason

NOW = Now(MonoMs(12_345), WallMs(1_760_000_000_000), ClockTrust.NONE)
ALL: tuple[Event, ...] = (
    events.Booted("b1", b"\x00regs", (b"one", b"two"), ("a" * 64,), damaged=True),
    events.Booted("b2", None, (), ()),
    events.Ticked(),
    events.LinkChanged(True),
    events.EnvelopeReceived(b"\xff\x00", Route.ALERT),
    events.ParcelReceived(b"{}", Route.USB),
    events.LiveSegmentReceived(b"LLS1"),
    events.AttestationReceived(b"{}", "0" * 32, MonoMs(5)),
    events.ClockRead(ClockSource.RDS, WallMs(7)),
    events.ClockRead(ClockSource.NTP, WallMs(7), MonoMs(3)),
    events.MediaStored("a" * 64),
    events.MediaFailed("a" * 64, damaged=False, full=True),
    events.MediaLost("a" * 64),
    events.TalkPressed(emergency=True),
    events.TalkReleased(),
    events.StopPressed(),
    events.MessagePressed(3),
    events.PartJudged(events.BoardPart.SPEAKER_LINE, healthy=False, detail="12 ohm, 31 expected"),
    events.SoundFailing("stream/relay"),
    events.SoundRecovered("stream/relay"),
    events.FmSignalMeasured(97_500, 40, None),
    events.FmSignalMeasured(97_500, 40, "1234"),
    events.SoundStarted("silence", WallMs(1)),
    events.SoundEnded("fm/8/97500", WallMs(1), WallMs(2), -1800, EndReason.SOURCE_FAILED, None),
    events.SoundEnded("fm/8/97500", WallMs(1), WallMs(2), -1800, EndReason.COMPLETE, -2000),
    events.LevelMeasured(WallMs(1), -1200, -1300),
    events.CardChanged(False),
    events.StateSaveFailed("đĩa đầy"),
    events.RootReceived(b"{}", None),
    events.RootReceived(None, b"{}"),
    events.RootRefused(Refusal.EXPIRED, "timestamp.json is expired"),
)


@pytest.mark.parametrize("event", ALL, ids=lambda event: type(event).__name__)
def test_event_goes_there_and_back(event: Event) -> None:
    assert decode_line(encode_line(NOW, event)) == (NOW, event)


def test_every_kind_of_event_is_tried() -> None:
    assert {type(event) for event in ALL} == set(typing.get_args(Event))


@pytest.mark.parametrize("line", [b"", b"{}", b"[1,2]", b'[1,2,"Exploded",{}]', b'[1,2,"MediaStored",{}]', b"\xff"])
def test_torn_line_is_refused(line: bytes) -> None:
    with pytest.raises(ValueError, match="journal"):
        decode_line(line)


async def test_journal_is_read_in_order(tmp_path: Path) -> None:
    journal = Journal(tmp_path, disk=Disk(None))
    for event in ALL:
        journal.record(NOW, event)
    await journal.flush()
    assert [event for _, event in read_journal(tmp_path)] == list(ALL)


async def test_first_event_after_a_power_cut_is_read(tmp_path: Path) -> None:
    """The cut tore the last line; what came next must not become its end."""
    for event, torn in ((events.StopPressed(), b'[1,2,"Stop'), (events.Ticked(), b""), (events.StopPressed(), b"")):
        journal = Journal(tmp_path, disk=Disk(None))
        journal.record(NOW, event)
        await journal.flush()
        with (tmp_path / "journal-00000001.jsonl").open("ab") as file:
            file.write(torn)
    found = [event for _, event in read_journal(tmp_path)]
    assert found == [events.StopPressed(), events.Ticked(), events.StopPressed()]
    assert (tmp_path / "journal-00000001.jsonl").read_bytes().count(b"\n") == 4


async def test_what_waits_is_written_at_the_end(tmp_path: Path) -> None:
    journal = Journal(tmp_path, disk=Disk(None))
    task = asyncio.create_task(journal.run())
    await asyncio.sleep(0)
    journal.record(NOW, events.StopPressed())
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert [event for _, event in read_journal(tmp_path)] == [events.StopPressed()]


async def test_old_files_make_room(tmp_path: Path) -> None:
    journal = Journal(tmp_path, disk=Disk(None), file_bytes_max=1000)
    for number in range(300):
        journal.record(NOW, events.MediaStored(f"{number:064d}"))
        await journal.flush()
    files = list(tmp_path.iterdir())
    assert len(files) == FILES_MAX
    assert all(path.stat().st_size <= 1000 for path in files)
    assert list(read_journal(tmp_path))[-1][1] == events.MediaStored(f"{299:064d}")


async def test_gap_is_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    journal = Journal(tmp_path, disk=Disk(None), day_bytes_max=2000)
    journal.record(NOW, events.ParcelReceived(bytes(5000), Route.DOC))
    journal.record(NOW, events.StopPressed())
    await journal.flush()
    assert b'["skipped",1]' in next(tmp_path.iterdir()).read_bytes()
    with caplog.at_level(logging.WARNING):
        assert [event for _, event in read_journal(tmp_path)] == [events.StopPressed()]
    assert "skipped" in caplog.text


async def test_day_has_a_budget(tmp_path: Path) -> None:
    journal = Journal(tmp_path, disk=Disk(None), day_bytes_max=2000)
    for _ in range(100):
        journal.record(NOW, events.StopPressed())
        await journal.flush()
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) <= 2000


async def test_unwritable_journal_ends_nothing(tmp_path: Path) -> None:
    (tmp_path / "journal").write_text("a file where the directory should be")
    journal = Journal(tmp_path / "journal", disk=Disk(None))
    journal.record(NOW, events.StopPressed())
    await journal.flush()
