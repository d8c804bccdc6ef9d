"""The name under which a broker keeps our reports lasts, and a power cut does not leave us without one."""

from __future__ import annotations

from pathlib import Path

import pytest

from controller.broker.routes import fixed_identifier


def test_name_stays(tmp_path: Path) -> None:
    first = fixed_identifier(tmp_path)
    assert first.startswith("loalang.controller.")
    assert fixed_identifier(tmp_path) == first
    assert [path.name for path in tmp_path.iterdir()] == ["mqtt_client_id"]


@pytest.mark.parametrize("left", [b"", b"\0" * 30, b"loalang.contr"])
def test_name_that_a_power_cut_tore_is_made_anew(tmp_path: Path, left: bytes) -> None:
    (tmp_path / "mqtt_client_id").write_bytes(left)
    made = fixed_identifier(tmp_path)
    assert len(made) == len("loalang.controller.") + 8
    assert fixed_identifier(tmp_path) == made
