"""What makes worlds quick changes nothing in them: remembered answers, workers beside each other; and its figure."""

from __future__ import annotations

import json

import pytest

from protocol import envelope, keys
from protocol.envelope import Envelope, sign
from protocol.keys import SigningKey
from simulators import soak
from simulators.bench import sim_speed
from simulators.world.once_verified import verified_once

SIZED = ("--devices", "2", "--days", "0.1", "--json")


@pytest.mark.slow
def test_remembered_signatures_and_workers_change_no_trace(capsys: pytest.CaptureFixture[str]) -> None:
    found = []
    for how in ((), ("--verify-each",), ("--workers", "2")):
        soak.main(["--seed", "3", "--seeds", "2", *SIZED, *how])
        found.append({**json.loads(capsys.readouterr().out.splitlines()[-1]), "wall_s": 0})
    assert found[0] == found[1] == found[2]


def test_false_signature_stays_false_and_true_one_true(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    real = keys.verify

    def counted(key: str, signature: bytes, message: bytes) -> bool:
        asked.append(key)
        return real(key, signature, message)

    monkeypatch.setattr(envelope, "verify", counted)
    key, other = SigningKey.generate(), SigningKey.generate()
    signed = sign("schedule", b"{}", [key])
    bent = Envelope(signed.payload_type, b"{ }", signed.signatures)
    with verified_once():
        for _ in range(3):
            assert signed.signers([key.public, other.public]) == {key.public}
            assert not bent.signers([key.public])
    assert len(asked) == 2
    signed.signers([key.public])
    assert len(asked) == 3


@pytest.mark.slow
def test_speed_is_told_for_each_heartbeat(capsys: pytest.CaptureFixture[str]) -> None:
    shape = ("--heartbeats-s", "300", "1800", "--seeds", "3", "--devices", "2", "--days", "0.1")
    assert sim_speed.main([*shape, "--json"]) == 0
    figures = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert figures["device_days_per_min_300_s"] > 0 and figures["device_days_per_min_1800_s"] > 0
    assert figures["events_1800_s"] <= figures["events_300_s"]


@pytest.mark.parametrize("argv", [("--heartbeats-s", "9000"), ("--devices", "0"), ("--days", "0")])
def test_shape_that_is_none_is_refused(argv: tuple[str, ...]) -> None:
    with pytest.raises(SystemExit):
        sim_speed.main([*argv])
