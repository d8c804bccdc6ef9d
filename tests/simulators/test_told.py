"""How figures are told."""

from __future__ import annotations

import json

import pytest

from simulators.bench import told


def test_table_and_last_line_say_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    told.tell({"p50_ms": 1.25, "bytes": 123_456_789, "version": "2.0"}, as_json=True)
    lines = capsys.readouterr().out.splitlines()
    assert json.loads(lines[-1]) == {"p50_ms": 1.25, "bytes": 123_456_789, "version": "2.0"}
    assert lines[:3] == [" p50_ms  1.25", "  bytes  123456789", "version  2.0"]


def test_percentiles_never_flatter() -> None:
    assert told.spread("skew_", range(1, 101)) == {
        "skew_p50_ms": 51.0,
        "skew_p95_ms": 96.0,
        "skew_p99_ms": 100.0,
        "skew_max_ms": 100.0,
    }
    assert told.spread("nothing_", []) == {}


def test_ground_names_what_it_stands_on() -> None:
    assert {"version_python", "version_numpy", "cores", "load_1_min"} <= set(told.ground("numpy"))


@pytest.mark.parametrize(("ci", "code"), [("true", 1), ("", 0)])
def test_missing_peers_are_named(
    ci: str, code: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CI", ci)
    lacking = {"mopidy": [], "snapclient": ["snapclient", "snapserver"]}
    assert told.present(lacking) == ["mopidy"]
    assert told.lack(lacking) == code
    assert "snapclient snapserver" in capsys.readouterr().err
    assert told.lack({"mopidy": []}) == 0
