"""The command as a conformance runner and the agent call it: a real process against a real web server."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from edge.updates.__main__ import main
from simulators.tuf_repository import TufRepository
from tests.edge.updates.conftest import TOP, wall
from tests.edge.updates.web import Web, serving

PEAK_MB_MAX = 64


def run(*words: object, code: int = 0) -> str:
    command = [sys.executable, "-m", "edge.updates", *map(str, words)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == code, done.stderr
    return done.stdout if code == 0 else done.stderr


@pytest.fixture
def fresh() -> TufRepository:
    """The runner's repository lives by the real clock."""
    repository = TufRepository(begin=datetime.now(UTC))
    repository.add("path/to/file.txt", b"what it says")
    repository.renew("targets")
    return repository


def begun(folder: Path, repository: TufRepository) -> Path:
    (folder / "initial.json").write_bytes(repository.files["metadata/1.root.json"])
    (folder / "metadata").mkdir()
    assert main(["--metadata-dir", str(folder / "metadata"), "init", str(folder / "initial.json")]) == 0
    return folder / "metadata"


def download(folder: Path, web: Web, name: str) -> list[str]:
    words = ["--metadata-url", f"{web.url}/metadata/", "--metadata-dir", str(folder / "metadata")]
    words += ["--target-name", name, "--target-dir", str(folder / "out")]
    return [*words, "--target-base-url", f"{web.url}/targets/", "download"]


@pytest.mark.slow
def test_runner_calls_in_their_order(tmp_path: Path, fresh: TufRepository) -> None:
    (tmp_path / "initial.json").write_bytes(fresh.files["metadata/1.root.json"])
    metadata = tmp_path / "metadata"
    metadata.mkdir()
    with serving(fresh.files) as web:
        run("--metadata-dir", metadata, "init", tmp_path / "initial.json")
        assert web.asked == []
        assert [path.name for path in metadata.iterdir()] == ["root.json"]
        run("--metadata-url", f"{web.url}/metadata", "--metadata-dir", metadata, "refresh")
        assert (metadata / "timestamp.json").read_bytes() == fresh.files["metadata/timestamp.json"]
        run(*download(tmp_path, web, "path/to/file.txt"))
    assert [path.read_bytes() for path in (tmp_path / "out").iterdir()] == [b"what it says"]


@pytest.mark.slow
def test_child_stays_small(tmp_path: Path, fresh: TufRepository) -> None:
    begun(tmp_path, fresh)
    # What the system says of an ended child counts its parent's memory too; so the child tells its own.
    told = "import sys, edge.updates.__main__ as it; it.main(sys.argv[1:]); print(open('/proc/self/status').read())"
    with serving(fresh.files) as web:
        words = [sys.executable, "-c", told, *download(tmp_path, web, "path/to/file.txt")]
        status = subprocess.run(words, capture_output=True, text=True, timeout=30, check=True).stdout
    peak_kb = int(status.partition("VmHWM:")[2].split()[0])
    assert peak_kb < PEAK_MB_MAX * 1024


@pytest.mark.slow
def test_sync_prints_one_line(tmp_path: Path, fresh: TufRepository) -> None:
    fresh.add("anchor.json", b"the anchor")
    fresh.renew("targets")
    (tmp_path / "enrolled.json").write_bytes(fresh.files["metadata/1.root.json"])
    words = ["sync", "--metadata-dir", tmp_path / "m", "--target-dir", tmp_path / "o", "--root"]
    with serving(fresh.files) as web:
        line = json.loads(run(*words, tmp_path / "enrolled.json", "--url", web.url))
    assert Path(line["anchor"]).read_bytes() == b"the anchor"
    assert (line["word"], line["software"], line["changed"]) == (None, [], True)
    assert sorted(line["expires_ms"]) == sorted(TOP)


@pytest.mark.slow
def test_too_much_memory_ends_in_words(tmp_path: Path, fresh: TufRepository) -> None:
    metadata = begun(tmp_path, fresh)
    # Many times what the limit lets a parser take, in a file that the sizes allow.
    fresh.targets.unrecognized_fields["x"] = [[] for _ in range(1_600_000)]
    fresh.renew("targets")
    with serving(fresh.files) as web:
        told = run("--metadata-url", f"{web.url}/metadata", "--metadata-dir", metadata, "refresh", code=1)
    assert told.count("\n") == 1


def test_failure_is_one_line_and_exit_code_1(
    tmp_path: Path, fresh: TufRepository, capsys: pytest.CaptureFixture[str]
) -> None:
    begun(tmp_path, fresh)
    with serving(fresh.files) as web:
        assert main(download(tmp_path, web, "missing")) == 1
    assert capsys.readouterr().err == "RepositoryError: there is no target 'missing'\n"


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["refresh"],
        ["--metadata-dir", "d", "init"],
        ["--metadata-dir", "d", "refresh"],
        ["--metadata-dir", "d", "--target-dir", "o", "sync"],
        ["--metadata-dir", "d", "--target-dir", "o", "--url", "u", "--any-date", "sync"],
    ],
)
def test_missing_words_end_with_1(words: list[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(words)
    assert ended.value.code == 1


def test_init_with_something_else_is_found_at_refresh(tmp_path: Path, fresh: TufRepository) -> None:
    (tmp_path / "initial.json").write_bytes(b"{}")
    metadata = tmp_path / "metadata"
    main(["--metadata-dir", str(metadata), "init", str(tmp_path / "initial.json")])
    with serving(fresh.files) as web:
        assert main(["--metadata-dir", str(metadata), "--metadata-url", web.url, "refresh"]) == 1
    assert web.asked == []


def test_sync_goes_by_the_given_time(
    tmp_path: Path, fresh: TufRepository, capsys: pytest.CaptureFixture[str]
) -> None:
    begun(tmp_path, fresh)
    later = wall(fresh.expires + timedelta(days=1))
    words = ["sync", "--metadata-dir", str(tmp_path / "metadata"), "--target-dir", str(tmp_path / "o")]
    with serving(fresh.files) as web:
        assert main([*words, "--url", web.url, "--now", str(later)]) == 1
        assert main([*words, "--url", web.url, "--now", str(later - 5 * 86_400_000)]) == 0
    assert "expired" in capsys.readouterr().err
