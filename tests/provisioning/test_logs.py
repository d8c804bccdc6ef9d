"""Logs that came back on a stick: opened by the province, and by nobody else."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from protocol.sealed import LogKey, seal
from protocol.stick import LOG_BYTES_MAX, LOG_LINE_BYTES_MAX
from provisioning.errors import ProvisioningError
from provisioning.log_key import open_log_key, read_log_key, write_log_key
from provisioning.log_open import open_log

KEY = LogKey.from_secret(b"k" * 32)
PASSPHRASE = "sen-lua-trau-47"
LINES = [b'["log",{"device":"dev-1"}]', b'["report","up/receipt",{"n":1}]', b'["journal",[1,2]]', b'["\\u2026",7]']


def sealed(path: Path, *lines: bytes, label: bytes = b'{"device":"dev-1","log":1}', end: bytes = b"\n") -> Path:
    data = b"\n".join(lines) + end
    path.write_bytes(b"".join(seal([data], recipient=KEY.public, label=label)))
    return path


def test_log_is_sorted_into_files(tmp_path: Path) -> None:
    found = open_log(sealed(tmp_path / "log", *LINES, b"no entry"), KEY, tmp_path / "out")
    assert (found.device, found.entries) == ("dev-1", {"device": 1, "reports": 1, "journal": 1, "other": 2})
    assert (tmp_path / "out" / "reports.jsonl").read_bytes() == LINES[1] + b"\n"


def test_names_in_a_log_are_no_paths(tmp_path: Path) -> None:
    hostile = [b'["../../evil",1]', b'["/etc/passwd",2]', b"[" * 100_000, b"{}", b"[]", b"\xff\xfe"]
    found = open_log(sealed(tmp_path / "log", *hostile, end=b""), KEY, tmp_path / "out")
    assert found.entries == {"other": 6}
    assert sorted(one.name for one in (tmp_path / "out").iterdir()) == [
        "device.jsonl",
        "journal.jsonl",
        "other.jsonl",
        "reports.jsonl",
    ]
    assert sorted(one.name for one in tmp_path.iterdir()) == ["log", "out"]


@pytest.mark.parametrize("label", [b"", b"{}", b'{"device":"../x"}', b'{"device":7}', b"[]", b"[" * 1000])
def test_label_that_names_no_device(tmp_path: Path, label: bytes) -> None:
    path = sealed(tmp_path / "log", *LINES, label=label)
    if label == b'{"device":7}':
        assert open_log(path, KEY, tmp_path / "out").device == "7"
        return
    with pytest.raises(ProvisioningError, match="names no device"):
        open_log(path, KEY, tmp_path / "out")


def test_wrong_key(tmp_path: Path) -> None:
    with pytest.raises(ProvisioningError, match="another key"):
        open_log(sealed(tmp_path / "log", *LINES), LogKey.generate(), tmp_path / "out")
    assert list((tmp_path / "out").iterdir()) == []


def test_half_a_log_gives_nothing(tmp_path: Path) -> None:
    path = sealed(tmp_path / "log", *(LINES * 5000))
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(ProvisioningError, match="cut off"):
        open_log(path, KEY, tmp_path / "out")
    assert list((tmp_path / "out").iterdir()) == []


def test_log_of_another_device_under_this_name(tmp_path: Path) -> None:
    path = sealed(tmp_path / "log", *LINES)
    path.write_bytes(path.read_bytes().replace(b"dev-1", b"dev-2", 1))
    with pytest.raises(ProvisioningError, match="changed"):
        open_log(path, KEY, tmp_path / "out")


def test_opened_log_is_never_written_over(tmp_path: Path) -> None:
    path = sealed(tmp_path / "log", *LINES)
    open_log(path, KEY, tmp_path / "out")
    with pytest.raises(ProvisioningError, match="already"):
        open_log(path, KEY, tmp_path / "out")
    assert (tmp_path / "out" / "reports.jsonl").read_bytes() == LINES[1] + b"\n"


@pytest.mark.slow
@pytest.mark.parametrize("data", [b"x" * (LOG_LINE_BYTES_MAX + 70_000), b"x" * 100_000 + b"\n"])
def test_endless_log(tmp_path: Path, data: bytes) -> None:
    lines = [data] * (LOG_BYTES_MAX // 100_000 + 1 if data.endswith(b"\n") else 1)
    with pytest.raises(ProvisioningError, match="larger"):
        open_log(sealed(tmp_path / "log", *lines), KEY, tmp_path / "out")


def test_key_file_opens_with_its_passphrase(tmp_path: Path) -> None:
    path = tmp_path / "log-key.json"
    write_log_key(path, KEY, PASSPHRASE, cost=16)
    assert path.stat().st_mode & 0o777 == 0o600
    assert KEY.secret().hex() not in path.read_text()
    assert open_log_key(read_log_key(path), PASSPHRASE).public == KEY.public
    with pytest.raises(ProvisioningError, match="not right"):
        open_log_key(read_log_key(path), "wrong")
    with pytest.raises(ProvisioningError, match="already"):
        write_log_key(path, LogKey.generate(), PASSPHRASE, cost=16)


def test_key_file_that_was_changed(tmp_path: Path) -> None:
    path = tmp_path / "log-key.json"
    write_log_key(path, KEY, PASSPHRASE, cost=16)
    stored = json.loads(path.read_text())
    path.write_text(json.dumps({**stored, "log_key": LogKey.from_secret(b"x" * 32).public}))
    with pytest.raises(ProvisioningError, match="was changed"):
        open_log_key(read_log_key(path), PASSPHRASE)
    path.write_text(json.dumps({**stored, "log_key": "00" * 32}))
    with pytest.raises(ProvisioningError, match="not a log key"):
        read_log_key(path)
