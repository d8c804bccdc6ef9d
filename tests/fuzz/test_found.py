"""Faults that fuzzing found, each told as whoever meets it would tell it."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from pathlib import Path

import pytest

from controller.library.processing import process
from controller.library.refusal import SoundRefusedError
from edge.adapters.document_mirror import DocumentMirror
from edge.adapters.event_codec import decode_line
from edge.adapters.http_fetch import _Answer
from edge.adapters.media_store import DiskMediaStore
from edge.adapters.outbox import SqliteOutbox
from edge.adapters.state_store import SqliteStateStore
from edge.config import ConfigError, read_config
from edge.core.effects import StoredDocument
from edge.ports import FetchError, MediaError
from edge.reporter import Letter
from protocol import codec
from simulators.player import PyAvPlayer
from tests.controller.library.material import make
from tests.protocol.people import ANCHOR

ENVELOPE = b'{"payload":"","payloadType":"x","signatures":[]}'
REGISTERS = b'{"schema":1}'


def spoil(path: Path, was: bytes, becomes: bytes) -> None:
    whole = path.read_bytes()
    assert was in whole, "the place that is to rot"
    path.write_bytes(whole.replace(was, becomes))


@pytest.fixture
def card(tmp_path: Path) -> Path:
    """A card with a state that was stored."""
    store = SqliteStateStore(tmp_path, ballast_bytes=0)
    store.load()
    store.save(REGISTERS, (StoredDocument("key", ENVELOPE),), ())
    store.close()
    return tmp_path


@pytest.mark.parametrize(
    ("was", "becomes"),
    [
        pytest.param(hashlib.sha256(ENVELOPE).hexdigest().encode()[:8], b"\xff" * 8, id="text"),
        pytest.param(b"CREATE TABLE registers", b"CREAT\xc5 TABLE registers", id="schema"),
        pytest.param(b"digest TEXT NOT NULL, envelope", b"digesu TEXT NOT NULL, envelope", id="column"),
        pytest.param(b"SQLite format 3\0\x10\0\x02\x02", b"SQLite format 3\0\x10\0\x03\x03", id="head"),
        pytest.param(b"SQLite format 3\0\x10\0\x02\x02", b"SQLite format 3\0\x10\0\x03\x02", id="read-only"),
    ],
)
def test_rotten_card_does_not_silence_the_device_for_ever(card: Path, was: bytes, becomes: bytes) -> None:
    spoil(card / "state.db", was, becomes)
    store = SqliteStateStore(card, ballast_bytes=0)
    stored = store.load()
    if stored.registers is None:
        assert stored.damaged
    assert stored.envelopes == (ENVELOPE,)
    store.save(b"{}", (), ())
    store.close()
    assert SqliteStateStore(card, ballast_bytes=0).load().registers == b"{}"


def test_emptied_database_is_no_first_start(card: Path) -> None:
    (card / "state.db").write_bytes(b"")
    stored = SqliteStateStore(card, ballast_bytes=0).load()
    assert stored.damaged
    assert stored.envelopes == (ENVELOPE,)
    assert not DocumentMirror(card / "documents").is_empty


def test_rotten_report_does_not_hold_up_all_others(tmp_path: Path) -> None:
    letter = Letter("loalang/v1/d/c07/up/fault", b"{}", 1)
    outbox = SqliteOutbox(tmp_path / "outbox.db")
    outbox.append([letter])
    outbox.close()
    spoil(tmp_path / "outbox.db", b"loalang/", b"loalan\xff/")
    outbox = SqliteOutbox(tmp_path / "outbox.db")
    assert outbox.oldest(9) == ()
    outbox.append([letter])
    assert [one.letter for one in outbox.oldest(9)] == [letter]


@pytest.mark.parametrize(("was", "becomes"), [(b"/up/fault", b"/up/f+ult"), (b"/up/fault", b"/up/f\0ult")])
def test_report_that_cannot_be_sent_does_not_hold_up_the_others(tmp_path: Path, was: bytes, becomes: bytes) -> None:
    letters = [Letter("loalang/v1/d/c07/up/fault", b"{}", 1), Letter("loalang/v1/d/c07/up/as_run", b"{}", 2)]
    outbox = SqliteOutbox(tmp_path / "outbox.db")
    outbox.append(letters)
    outbox.close()
    spoil(tmp_path / "outbox.db", was, becomes)
    assert [one.letter for one in SqliteOutbox(tmp_path / "outbox.db").oldest(9)] == letters[1:]


def test_stored_row_of_another_kind_is_damage(card: Path) -> None:
    with sqlite3.connect(card / "state.db") as connection:
        connection.execute("UPDATE registers SET data = CAST(data AS TEXT)")
    connection.close()
    stored = SqliteStateStore(card, ballast_bytes=0).load()
    assert (stored.registers, stored.damaged) == (None, True)


def test_odd_file_among_documents_does_not_stop_the_start(card: Path) -> None:
    documents = card / "documents"
    key = b"\xff\xfe"
    short = hashlib.sha256(key.decode(errors="replace").encode()).hexdigest()[:16]
    (documents / f"{short}-{hashlib.sha256(b'x').hexdigest()}").write_bytes(key + b"\nx")
    (documents / f"{'0' * 16}-{'0' * 64}").mkdir()
    assert [one.document.envelope for one in DocumentMirror(documents).read()] == [ENVELOPE]


def test_media_on_a_card_of_its_own_are_found(tmp_path: Path) -> None:
    (tmp_path / "lost+found").mkdir()
    (tmp_path / f"{'a' * 64}.3").write_bytes(b"abc")
    assert DiskMediaStore(tmp_path).digests() == {"a" * 64}
    assert (tmp_path / "lost+found").is_dir()


def test_sound_of_a_hundred_channels_is_damage_not_a_lost_worker(tmp_path: Path) -> None:
    path = make(tmp_path / "in", "wav", seconds=0.2)
    whole = bytearray(path.read_bytes())
    whole[22:24], whole[32:34] = (119).to_bytes(2, "little"), (238).to_bytes(2, "little")
    path.write_bytes(whole)
    with pytest.raises(SoundRefusedError):
        process(path, tmp_path / "out", owner="vn/92", tell=lambda _stage, _seconds: None)


async def test_medium_that_names_another_file_does_not_sound(tmp_path: Path) -> None:
    make(tmp_path / "other", "mp3", seconds=1)
    medium = tmp_path / "medium"
    medium.write_text("ffconcat version 1.0\nfile other\n")
    with pytest.raises(MediaError):
        await PyAvPlayer().open(medium)


@pytest.mark.parametrize(
    "line",
    [
        b"[" * 5000,
        b'[5,6,"StopPressed",' + b"[" * 5000,
        b'[5,"6","StopPressed",{}]',
        b'[5,6,"MediaStored",{"digest":7}]',
        b'[5,6,"MediaStored",{"digest":["a"]}]',
        b'[5,6,"MediaStored",{"digest":"\\ud800"}]',
        b'[5,6,"LinkChanged",{"up":1}]',
        b"\xff\xfe[\x00]\x00",
    ],
)
def test_damaged_journal_is_read_past_its_damage(line: bytes) -> None:
    with pytest.raises(ValueError, match="not a line of a journal"):
        decode_line(line)


def test_damaged_settings_are_a_sentence_not_a_traceback(tmp_path: Path) -> None:
    (tmp_path / "device.json").write_bytes(b"[" * 60_000)
    with pytest.raises(ConfigError, match="is not JSON"):
        read_config(tmp_path / "device.json")
    (tmp_path / "anchor.json").write_bytes(codec.encode(ANCHOR))


@pytest.mark.parametrize("cursor", ["\ud800", "a\r\nb", "\0"])
def test_second_path_lives_on_after_an_answer_that_cannot_be_asked_with(cursor: str) -> None:
    with pytest.raises(FetchError, match="cursor"):
        _Answer.read(json.dumps({"cursor": cursor, "parcels": [], "alerts": []}).encode(), before="")
