"""A saved log is checked at an auditor's own desk."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from protocol import codec
from protocol.checkpoint import Checkpoint
from protocol.clock import WallMs
from protocol.document import Kind
from protocol.envelope import sign
from protocol.grants import Anchor
from protocol.hash_chain import EMPTY, LogEntry, follow, next_entry
from protocol.keys import SigningKey
from protocol.units import UnitPath
from provisioning.cli import app
from provisioning.errors import ProvisioningError
from provisioning.i18n import CATALOGUE
from provisioning.log_check import check_log

KEY = SigningKey.from_seed(b"f" * 32)
HOLDER = SigningKey.from_seed(b"a" * 32)
ANCHOR = Anchor(UnitPath("vn/92"), (HOLDER.public,), 1, (KEY.public,))
AT = WallMs(1_764_000_000_000)


def chain(*numbers: int) -> list[LogEntry]:
    state, made = EMPTY, []
    for number in numbers:
        name = f"{number:064x}"
        entry = next_entry(state, digest=name, kind="schedule", scope=UnitPath("vn/92/31498"), stored=AT)
        state = follow(state, [entry])
        made.append(entry)
    return made


def save(path: Path, entries: list[LogEntry]) -> Path:
    path.write_bytes(b"".join(codec.encode(one) + b"\n" for one in entries))
    return path


def kept(path: Path, entries: list[LogEntry], key: SigningKey = KEY) -> Path:
    state = follow(EMPTY, entries)
    made = Checkpoint(log=state.log, size=state.size, root=state.root, issued=AT)
    path.write_bytes(sign(Kind.CHECKPOINT, codec.encode(made), [key]).pack())
    return path


def test_log_that_grew(tmp_path: Path) -> None:
    former, later = kept(tmp_path / "a.json", chain(1, 2)), kept(tmp_path / "b.json", chain(1, 2, 3))
    found = check_log(save(tmp_path / "log.jsonl", chain(1, 2, 3, 4)), [former, later], ANCHOR)
    assert (found.state.size, found.signed, found.newest) == (4, 3, AT)


@pytest.mark.parametrize(
    ("log", "words"),
    [
        (chain(1), "chỉ có 1 dòng"),
        (chain(1, 3), "một sổ khác"),
        (chain(9, 1, 2), "một sổ khác"),
        (chain(1, 2, 3)[1:], "Dòng số 0 không khớp"),
        ([*chain(1, 2), chain(1, 3, 4)[2]], "Dòng số 2 không khớp"),
    ],
)
def test_log_that_was_touched(tmp_path: Path, log: list[LogEntry], words: str) -> None:
    CATALOGUE.compile()
    CATALOGUE.use("vi")
    former = kept(tmp_path / "a.json", chain(1, 2))
    with pytest.raises(ProvisioningError, match=words):
        check_log(save(tmp_path / "log.jsonl", log), [former], ANCHOR)


def test_files_that_are_something_else(tmp_path: Path) -> None:
    log, stranger = save(tmp_path / "log.jsonl", chain(1)), SigningKey.generate()
    with pytest.raises(ProvisioningError):
        check_log(log, [kept(tmp_path / "a.json", chain(1), stranger)], ANCHOR)
    with pytest.raises(ProvisioningError):
        check_log(log, [log], ANCHOR)
    log.write_bytes(b"{}\n")
    with pytest.raises(ProvisioningError):
        check_log(log, [], ANCHOR)


def test_command(tmp_path: Path) -> None:
    anchor = tmp_path / "anchor.json"
    anchor.write_bytes(codec.encode(ANCHOR))
    former = kept(tmp_path / "a.json", chain(1, 2))

    def run(entries: list[LogEntry]) -> tuple[int, str]:
        log = save(tmp_path / "log.jsonl", entries)
        words = ["log", "check", str(log), "--checkpoint", str(former), "--anchor", str(anchor)]
        result = CliRunner().invoke(app, words, env={"LOALANG_LANG": "en", "COLUMNS": "200"})
        return result.exit_code, result.output

    assert run(chain(1, 2, 3)) == (0, "The log is whole: 3 entries, the first 2 of them signed for.\n")
    code, text = run(chain(1, 4))
    assert code == 1 and "another log" in text
