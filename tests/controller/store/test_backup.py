"""A database is copied while it is written, and put back beside the log of a killed controller."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from controller.store.backup import BackupError, back_up, finish, put_back


def write(data: Path, *names: str) -> None:
    data.mkdir(exist_ok=True)
    with closing(sqlite3.connect(data / "controller.db")) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("CREATE TABLE IF NOT EXISTS alembic_version (version_num TEXT)")
        connection.execute("CREATE TABLE IF NOT EXISTS people (name TEXT)")
        connection.executemany("INSERT INTO people VALUES (?)", [(one,) for one in names])
        connection.commit()


def names(database: Path) -> list[str]:
    with closing(sqlite3.connect(database)) as connection:
        return [name for (name,) in connection.execute("SELECT name FROM people")]


@pytest.fixture
def killed(tmp_path: Path) -> Iterator[Path]:
    """A data directory as a killed controller leaves it: the newest rows stand in the log only."""
    data = tmp_path / "data"
    write(data, "an")
    with closing(sqlite3.connect(data / "controller.db")) as connection:
        connection.execute("INSERT INTO people VALUES ('binh')")
        connection.commit()
        copy = tmp_path / "killed"
        shutil.copytree(data, copy)
    assert (copy / "controller.db-wal").stat().st_size > 0
    yield copy


def test_copy_has_what_stands_in_the_log(killed: Path, tmp_path: Path) -> None:
    back_up(killed, tmp_path / "copy.db")
    assert names(tmp_path / "copy.db") == ["an", "binh"]
    assert not list(tmp_path.glob("copy.db?*"))


def test_copy_is_made_while_somebody_writes(tmp_path: Path) -> None:
    write(tmp_path / "data", "an")
    with closing(sqlite3.connect(tmp_path / "data/controller.db")) as connection:
        connection.execute("INSERT INTO people VALUES ('half done')")
        back_up(tmp_path / "data", tmp_path / "copy.db")
    assert names(tmp_path / "copy.db") == ["an"]


def test_copy_is_put_back_beside_the_log_of_a_kill(killed: Path, tmp_path: Path) -> None:
    write(tmp_path / "older", "before all")
    back_up(tmp_path / "older", tmp_path / "copy.db")
    put_back(tmp_path / "copy.db", killed)
    assert names(killed / "controller.db") == ["before all"]
    assert names(killed / "controller.db.before") == ["an", "binh"]


def test_copy_is_put_back_for_a_damaged_database(killed: Path, tmp_path: Path) -> None:
    back_up(killed, tmp_path / "copy.db")
    (killed / "controller.db").write_bytes(b"rotten" * 3000)
    put_back(tmp_path / "copy.db", killed)
    assert names(killed / "controller.db") == ["an", "binh"]
    assert (killed / "controller.db.before").read_bytes().startswith(b"rotten")


def test_nothing_is_put_back_under_a_running_controller(tmp_path: Path) -> None:
    write(tmp_path / "data", "an")
    back_up(tmp_path / "data", tmp_path / "copy.db")
    with closing(sqlite3.connect(tmp_path / "data/controller.db")) as connection:
        connection.execute("SELECT * FROM people").fetchall()
        with pytest.raises(BackupError, match="running"):
            put_back(tmp_path / "copy.db", tmp_path / "data")
    assert names(tmp_path / "data/controller.db") == ["an"]


@pytest.mark.parametrize("content", [b"", b"rotten" * 3000])
def test_what_is_no_copy_is_not_put_back(tmp_path: Path, content: bytes) -> None:
    write(tmp_path / "data", "an")
    (tmp_path / "copy.db").write_bytes(content)
    with pytest.raises(BackupError):
        put_back(tmp_path / "copy.db", tmp_path / "data")
    assert names(tmp_path / "data/controller.db") == ["an"]


def test_start_without_anything_begun_does_nothing(tmp_path: Path) -> None:
    assert not finish(tmp_path)


@pytest.mark.slow
def test_commands_say_what_they_did(tmp_path: Path) -> None:
    write(tmp_path / "data", "an")

    def run(*words: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "controller", "--data", str(tmp_path / "data"), *words]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    assert run("--back-up", str(tmp_path / "copy.db")).returncode == 0
    write(tmp_path / "data", "binh")
    done = run("--put-back", str(tmp_path / "copy.db"))
    assert (done.returncode, names(tmp_path / "data/controller.db")) == (0, ["an"])
    assert "controller.db.before" in done.stdout
    refused = run("--put-back", str(tmp_path / "nothing.db"))
    assert (refused.returncode, "nothing.db" in refused.stderr) == (2, True)
