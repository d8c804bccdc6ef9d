"""What every StateStore promises, through full disks, damage and processes that are killed."""

from __future__ import annotations

import hashlib
import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from edge.adapters.state_store import SqliteStateStore
from edge.core.effects import StoredDocument
from edge.ports import StorageFullError, Stored
from tests.contracts.full_disk import small_disk

SCHEDULE = StoredDocument("schedule/vn/92/31498", b'{"payload":"first"}')
NEWER = StoredDocument("schedule/vn/92/31498", b'{"payload":"second"}')
GRANT = StoredDocument("grant/abc", b'{"payload":"grant"}')


def store(directory: Path) -> SqliteStateStore:
    return SqliteStateStore(directory, ballast_bytes=0)


def saved(directory: Path) -> Stored:
    with closing(store(directory)) as one:
        return one.load()


def prepare(directory: Path) -> None:
    with closing(store(directory)) as one:
        one.load()
        one.save(b"registers", (SCHEDULE, GRANT), ())


def test_first_start_is_empty(tmp_path: Path) -> None:
    assert saved(tmp_path) == Stored(None, (), damaged=False)


def test_saved_state_is_there_after_restart(tmp_path: Path) -> None:
    prepare(tmp_path)
    assert saved(tmp_path) == Stored(b"registers", (SCHEDULE.envelope, GRANT.envelope))


def test_successor_replaces_a_document(tmp_path: Path) -> None:
    prepare(tmp_path)
    with closing(store(tmp_path)) as one:
        one.save(b"later", (NEWER,), ())
    assert set(saved(tmp_path).envelopes) == {NEWER.envelope, GRANT.envelope}


def test_dropped_document_is_gone(tmp_path: Path) -> None:
    prepare(tmp_path)
    with closing(store(tmp_path)) as one:
        one.save(b"later", (), (SCHEDULE.key, "unknown"))
    assert saved(tmp_path) == Stored(b"later", (GRANT.envelope,))


def test_lost_database_is_rebuilt(tmp_path: Path) -> None:
    prepare(tmp_path)
    for path in tmp_path.glob("state.db*"):
        path.unlink()
    found = saved(tmp_path)
    assert (found.registers, set(found.envelopes), found.damaged) == (
        None,
        {SCHEDULE.envelope, GRANT.envelope},
        True,
    )


def test_damaged_database_is_set_aside(tmp_path: Path) -> None:
    prepare(tmp_path)
    (tmp_path / "state.db").write_bytes(b"not a database at all" * 1000)
    found = saved(tmp_path)
    assert (set(found.envelopes), found.damaged) == ({SCHEDULE.envelope, GRANT.envelope}, True)
    assert (tmp_path / "state.db.damaged-0").exists()


def test_rebuilt_documents_are_replaced_as_before(tmp_path: Path) -> None:
    prepare(tmp_path)
    (tmp_path / "state.db").write_bytes(b"not a database at all" * 1000)
    with closing(store(tmp_path)) as one:
        one.load()
        one.save(b"anew", (NEWER,), (GRANT.key,))
    assert saved(tmp_path) == Stored(b"anew", (NEWER.envelope,))


def test_few_damaged_databases_are_kept(tmp_path: Path) -> None:
    for _ in range(4):
        prepare(tmp_path)
        (tmp_path / "state.db").write_bytes(b"x" * 5000)
        saved(tmp_path)
    assert len(list(tmp_path.glob("state.db.damaged-*"))) == 2


def test_changed_row_is_noticed(tmp_path: Path) -> None:
    """SQLite has no checksums: a bit that rots inside a value looks right to it."""
    prepare(tmp_path)
    with closing(sqlite3.connect(tmp_path / "state.db")) as connection:
        connection.execute("UPDATE registers SET data = ?", (b"registerz",))
        connection.commit()
    found = saved(tmp_path)
    assert (found.registers, found.damaged, len(found.envelopes)) == (None, True, 2)


def test_card_that_forgot_the_last_save_is_noticed(tmp_path: Path) -> None:
    """The database is whole and old, as a card leaves it that lies about flush; the signed file is newer."""
    prepare(tmp_path)
    old = (tmp_path / "state.db").read_bytes()
    with closing(store(tmp_path)) as one:
        one.load()
        one.save(b"later", (NEWER,), ())
    (tmp_path / "state.db").write_bytes(old)
    found = saved(tmp_path)
    assert (found.registers, set(found.envelopes), found.damaged) == (
        b"registers",
        {NEWER.envelope, GRANT.envelope},
        True,
    )
    assert saved(tmp_path) == Stored(found.registers, found.envelopes, damaged=False)


def test_registers_of_another_save_are_noticed(tmp_path: Path) -> None:
    """Each row is what was written, but not at the same time: half of a checkpoint came to the card."""
    prepare(tmp_path)
    query = "SELECT number, digest, data FROM registers"
    with closing(sqlite3.connect(tmp_path / "state.db")) as connection:
        old = connection.execute(query).fetchone()
    with closing(store(tmp_path)) as one:
        one.save(b"later", (NEWER,), ())
    with closing(sqlite3.connect(tmp_path / "state.db")) as connection:
        connection.execute("UPDATE registers SET number = ?, digest = ?, data = ?", old)
        connection.commit()
    found = saved(tmp_path)
    assert (found.registers, set(found.envelopes), found.damaged) == (None, {NEWER.envelope, GRANT.envelope}, True)


def test_index_of_another_moment_is_noticed(tmp_path: Path) -> None:
    """SQLite's quick check passes this, and looking a document up by its key then finds none."""
    prepare(tmp_path)
    with closing(sqlite3.connect(tmp_path / "state.db")) as connection:
        index, table = (
            connection.execute("SELECT rootpage FROM sqlite_schema WHERE name = ?", (name,)).fetchone()[0]
            for name in ("sqlite_autoindex_documents_1", "documents")
        )
        size = connection.execute("PRAGMA page_size").fetchone()[0]
    data = bytearray((tmp_path / "state.db").read_bytes())
    with closing(store(tmp_path)) as one:
        one.save(b"later", (NEWER,), (GRANT.key,))
    later = bytearray((tmp_path / "state.db").read_bytes())
    assert index != table
    later[(index - 1) * size : index * size] = data[(index - 1) * size : index * size]
    (tmp_path / "state.db").write_bytes(later)
    found = saved(tmp_path)
    assert (found.envelopes, found.damaged) == ((NEWER.envelope,), True)


@pytest.mark.parametrize("change", ["key = NULL", "key = 7", "digest = 7", "number = 'x'"])
def test_row_of_another_kind_is_noticed(tmp_path: Path, change: str) -> None:
    prepare(tmp_path)
    with closing(sqlite3.connect(tmp_path / "state.db")) as connection:
        connection.execute(f"UPDATE OR REPLACE documents SET {change}")
        connection.commit()
    assert saved(tmp_path).damaged


def test_newest_file_counts_whatever_the_clock_said(tmp_path: Path) -> None:
    """A device whose clock is dead writes the newer file with the older date; a power cut left both."""
    prepare(tmp_path)
    first = {path: path.read_bytes() for path in (tmp_path / "documents").iterdir()}
    with closing(store(tmp_path)) as one:
        one.save(b"later", (NEWER,), ())
    for path in (tmp_path / "documents").iterdir():
        os.utime(path, (1, 1))
    for path, content in first.items():
        path.write_bytes(content)
    (tmp_path / "state.db").unlink()
    assert set(saved(tmp_path).envelopes) == {NEWER.envelope, GRANT.envelope}


def test_state_of_an_older_agent_is_taken_over(tmp_path: Path) -> None:
    """Before saves had numbers."""
    (tmp_path / "documents").mkdir()
    with closing(sqlite3.connect(tmp_path / "state.db")) as connection:
        connection.execute("CREATE TABLE registers (id INTEGER PRIMARY KEY, data BLOB, digest TEXT)")
        connection.execute("CREATE TABLE documents (key TEXT PRIMARY KEY, digest TEXT, envelope BLOB)")
        row = (GRANT.key, hashlib.sha256(GRANT.envelope).hexdigest(), GRANT.envelope)
        connection.execute("INSERT INTO documents VALUES (?, ?, ?)", row)
        connection.execute("INSERT INTO registers VALUES (1, ?, ?)", (b"old", hashlib.sha256(b"old").hexdigest()))
        connection.execute("PRAGMA user_version = 1")
        connection.commit()
    with closing(store(tmp_path)) as one:
        assert one.load() == Stored(b"old", (GRANT.envelope,))
        one.save(b"later", (NEWER,), ())
    assert saved(tmp_path) == Stored(b"later", (GRANT.envelope, NEWER.envelope))


def test_newer_schema_is_set_aside(tmp_path: Path) -> None:
    prepare(tmp_path)
    with closing(sqlite3.connect(tmp_path / "state.db")) as connection:
        connection.execute("PRAGMA user_version = 99")
    assert saved(tmp_path).damaged


def test_torn_mirror_file_is_left_out(tmp_path: Path) -> None:
    prepare(tmp_path)
    for path in tmp_path.glob("state.db*"):
        path.unlink()
    torn = next(path for path in (tmp_path / "documents").iterdir() if b"grant" in path.read_bytes())
    torn.write_bytes(torn.read_bytes()[:-3])
    assert saved(tmp_path).envelopes == (SCHEDULE.envelope,)


def test_mirror_is_mended_at_start(tmp_path: Path) -> None:
    prepare(tmp_path)
    for path in (tmp_path / "documents").iterdir():
        path.unlink()
    saved(tmp_path)
    assert len(list((tmp_path / "documents").iterdir())) == 2


def test_database_that_breaks_in_use_goes_on(tmp_path: Path) -> None:
    prepare(tmp_path)
    with closing(store(tmp_path)) as one:
        one.load()
        one.close()
        (tmp_path / "state.db").write_bytes(b"y" * 8192)
        one.save(b"later", (NEWER,), ())
    assert saved(tmp_path) == Stored(b"later", (GRANT.envelope, NEWER.envelope))


def test_full_disk_changes_nothing(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", size_bytes=512 * 1024) as disk, closing(store(disk)) as one:
        one.load()
        one.save(b"before", (SCHEDULE,), ())
        (disk / "filler").write_bytes(bytes(300 * 1024))
        with pytest.raises(StorageFullError):
            one.save(bytes(250 * 1024), (NEWER,), ())
        (disk / "filler").unlink()
        one.close()
        assert one.load() == Stored(b"before", (SCHEDULE.envelope,))
        one.save(b"after", (NEWER,), ())
        assert one.load() == Stored(b"after", (NEWER.envelope,))


def test_ballast_is_given_up(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", size_bytes=4 * 1024 * 1024) as disk:
        one = SqliteStateStore(disk, ballast_bytes=256 * 1024)
        with closing(one):
            one.load()
            one.save(b"before", (SCHEDULE,), ())
            assert (disk / "ballast").stat().st_size == 256 * 1024
            fill(disk)
            one.save(bytes(60 * 1024), (NEWER,), ())
            assert not (disk / "ballast").exists()
            (disk / "filler").unlink()
            one.save(b"room again", (), ())
            assert (disk / "ballast").exists()


def fill(disk: Path) -> None:
    with (disk / "filler").open("wb", buffering=0) as filler, pytest.raises(OSError):
        while True:
            filler.write(bytes(4096))


def test_full_disk_can_be_booted_from(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", size_bytes=4 * 1024 * 1024) as disk:
        with closing(SqliteStateStore(disk, ballast_bytes=256 * 1024)) as one:
            one.load()
            one.save(b"registers", (SCHEDULE,), ())
        fill(disk)
        with closing(SqliteStateStore(disk, ballast_bytes=256 * 1024)) as one:
            assert one.load() == Stored(b"registers", (SCHEDULE.envelope,))


KILLED = """
import sys
from pathlib import Path
from edge.adapters.state_store import SqliteStateStore
from edge.core.effects import StoredDocument
store = SqliteStateStore(Path(sys.argv[1]), ballast_bytes=0)
store.load()
for number in range(int(sys.argv[2]), 100_000):
    text = b"%d" % number
    store.save(text, (StoredDocument("one", b"one " + text), StoredDocument("two", b"two " + text)), ())
    print(number, flush=True)
"""


@pytest.mark.slow
def test_killed_while_saving(tmp_path: Path) -> None:
    """What was acknowledged is there, and a save is there as a whole or not at all."""
    number = 0
    for _ in range(8):
        command = [sys.executable, "-c", KILLED, str(tmp_path), str(number)]
        with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            for _ in range(3 + number % 7):
                acknowledged = int(process.stdout.readline())
            process.kill()
            rest = process.stdout.read().split()
        acknowledged = int(rest[-1]) if rest else acknowledged
        found = saved(tmp_path)
        assert found.registers is not None
        assert not found.damaged
        assert acknowledged <= int(found.registers) <= acknowledged + 1
        assert set(found.envelopes) == {b"one " + found.registers, b"two " + found.registers}
        number = int(found.registers) + 1
