"""A province with loudspeakers, operators and authorities, on a real broker."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import Any

import pytest

from controller.devices.keys import INGEST
from protocol import codec
from protocol.alert import Alert, Cancel
from protocol.document import KINDS, Kind
from protocol.envelope import Envelope, sign
from protocol.keys import SigningKey
from tests.controller.running import KE_SACH, Person, RunningController
from tests.controller.signing.authorities import Ceremony
from tests.controller.signing.stage import browser, set_up


@pytest.fixture
def capabilities() -> tuple[str, ...]:
    parts = ("web", "people", "units", "audit", "library", "broker", "signing", "bulletins", "schedules")
    return (*parts, "devices", "as_run", "alerts")


@dataclass
class Stage:
    """Everybody and everything."""

    running: RunningController
    ceremony: Ceremony
    commune: Person
    province: Person
    neighbour: Person


@pytest.fixture
async def stage(controller: RunningController) -> Stage:
    """Two communes with four loudspeakers each."""
    ceremony = await set_up(controller)
    await controller.app[INGEST].renew_roster()
    people = [await browser(controller, login) for login in ("ke-sach", "operator", "tran-de")]
    return Stage(controller, ceremony, *people)


def asked(**changes: Any) -> dict[str, Any]:
    """A body for `POST /alerts` that is right in every field."""
    return {"kind": "actual", "targets": [KE_SACH], "text": "Nước đang dâng nhanh.", "duration_s": 120} | changes


def signed_with_cancel(made: dict[str, Any], *keys: SigningKey) -> tuple[Envelope, Envelope]:
    """What the signer makes of a hand-over: the emergency and its prepared cancel."""
    payload = base64.b64decode(made["payload"])
    alert = codec.decode(Alert, payload, bytes_max=KINDS[Kind.ALERT].bytes_max)
    cancel = Cancel(alert.scope, alert.id, issued=alert.issued, expires=alert.expires, targets=alert.targets)
    return sign(made["kind"], payload, keys), sign(Kind.CANCEL, codec.encode(cancel), keys)
