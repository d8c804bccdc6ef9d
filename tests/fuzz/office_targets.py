"""What stands in offices: forms and files that the signer, the controller and the technician's tool read."""

from __future__ import annotations

import base64
import contextlib
import io
import json
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from controller.bulletins.draft import DraftText
from controller.bulletins.json_form import draft_text
from controller.bulletins.timing import TimingError, read_timing
from controller.devices.announcer import Announcer
from controller.devices.ingest import Ingest
from controller.devices.live import Roster
from controller.devices.queries import Enrolled
from controller.units.form import day_in, number_in, path_in, text_in
from controller.web.events import EventHub
from controller.web.explained import Explained
from controller.web.held import local_path, parse_held
from controller.web.page import told_in
from controller.web.strict_json import loads
from protocol import codec
from protocol.checkpoint import Checkpoint, read_checkpoint
from protocol.document import Kind
from protocol.envelope import Envelope, sign, unpack
from protocol.errors import DocumentError
from protocol.sealed import LogKey, log_key, read_label
from protocol.sealed import seal as seal_log
from protocol.sealed import unseal as unseal_log
from protocol.units import UnitPath
from provisioning.controller_line import ANSWER_BYTES_MAX, Documents
from provisioning.device_file import read_device
from provisioning.errors import ProvisioningError
from provisioning.grant_files import read_envelope
from signer.check import check_timely
from signer.config import SignerConfig
from signer.errors import KeyStoreError, RequestRefusedError, WrongPassphraseError
from signer.key_store import read_sealed, seal, unseal
from signer.places import load_places
from signer.review import media_of, read_hand_over
from signer.signed_log import Entry, SignedLog
from tests.fuzz import material
from tests.fuzz.device_targets import folder
from tests.fuzz.target import Target
from tests.protocol.people import C1, COMMUNE, FRESHNESS, NOW

_MODULES = ("protocol", "signer", "controller", "provisioning")
CONFIG = SignerConfig(Path("/nowhere"))
CHEAP = 2
LOG_KEY = LogKey.from_secret(b"l" * 32)
SECRET_LOG = b"boot 1\n" * 200


def hand_over(data: bytes) -> None:
    """The form that a controller's page posts to the signer: what is shown is what was read from the signed bytes."""
    form = _object(data)
    try:
        review = read_hand_over(form, config=CONFIG)
    except RequestRefusedError as error:
        str(error).encode("utf-8", "replace")
        return
    assert review.envelope.payload == base64.b64decode(str(form["payload"]))
    assert review.return_url is None or review.return_url.startswith(
        ("http://127.0.0.1:8080", "http://localhost:8080")
    )
    with contextlib.suppress(RequestRefusedError):
        check_timely(review.kind, review.document, NOW)
    media_of(review.document)


def _object(data: bytes) -> dict[str, Any]:
    try:
        value = json.loads(data)
    except (ValueError, RecursionError):
        value = {"payload": data.decode("utf-8", "replace"), "kind": "alert", "controller": CONFIG.controller}
    return value if isinstance(value, dict) else {"payload": value}


def signer_files(data: bytes) -> None:
    """The signer's own files after a bad disk: a key, the places, the log of what was signed."""
    with folder() as directory:
        for name in ("key.json", "places.json", "log.jsonl"):
            (directory / name).write_bytes(data)
        load_places(directory).name(COMMUNE)
        SignedLog(directory).newest(Kind.SCHEDULE, COMMUNE)
        try:
            sealed = read_sealed(directory / "key.json")
        except KeyStoreError:
            return
        if sealed.cost <= 16:  # the passphrase is stretched for as long as the file says
            with contextlib.suppress(KeyStoreError, WrongPassphraseError):
                assert unseal(sealed, "mật khẩu").public == sealed.public


def technician(data: bytes) -> None:
    """Answers of a controller and files on the technician's machine."""
    with contextlib.suppress(DocumentError, ProvisioningError):
        found = codec.decode(Documents, data, bytes_max=ANSWER_BYTES_MAX)
        found.envelopes()
    with folder() as directory:
        (directory / "device.json").write_bytes(data)
        with contextlib.suppress(ProvisioningError):
            read_device(directory / "device.json")
        with contextlib.suppress(ProvisioningError):
            read_envelope(directory / "device.json")


def json_body(data: bytes) -> None:
    """A body of JSON to the controller: a value that can be stored as text, or a decoding error."""
    try:
        value = loads(data.decode("utf-8", "replace"))
    except json.JSONDecodeError:
        return
    json.dumps(value, ensure_ascii=False).encode()
    if isinstance(value, dict):
        text = draft_text(value)
        assert isinstance(text, DraftText)
        with contextlib.suppress(TimingError):
            read_timing(text.timing, NOW)


def form_texts(data: bytes) -> None:
    """Words of a form and of cookies."""
    text = data.decode("utf-8", "surrogateescape")
    form = {"name": text, "day": text, "people": text, "unit": text}
    readers: tuple[Callable[[dict[str, str]], object], ...] = (
        lambda one: text_in(one, "name"),
        lambda one: number_in(one, "people"),
        lambda one: day_in(one, "day"),
        lambda one: path_in(one, "unit"),
    )
    for read in readers:
        with contextlib.suppress(Explained):
            read(form)
    held = parse_held(text)
    assert held is None or held.action.startswith("/")
    assert local_path(text).startswith("/")
    assert not local_path(text).startswith("//")
    told = told_in(text)
    assert told is None or told.kind in ("done", "warning", "error")


def reports_in(data: bytes) -> None:
    """Anything on any topic, from any device, to the controller: counted or dropped, never raised."""
    topic, _, payload = data.partition(b"\n")
    roster = Roster(heartbeat_ms=60_000)
    roster.renew([Enrolled(material.DEVICE, UnitPath(material.PLACE), "Ấp 7")])
    announcer = Announcer(EventHub(), roster, lambda: NOW)
    ingest = Ingest(None, roster, announcer, lambda: NOW, confirm=_nobody)  # type: ignore[arg-type]
    ingest.receive(topic.decode("utf-8", "surrogateescape"), payload, False)


async def _nobody(device: str, reports: Sequence[str]) -> None:
    """No batch is ever written here."""


def sealed_log(data: bytes) -> None:
    """A log that came back on a stick: opened only as it was sealed; a checkpoint only as it was signed."""
    for key in (LOG_KEY, LogKey.from_secret(b"o" * 32)):
        opened = b""
        with contextlib.suppress(DocumentError):
            for piece in unseal_log(io.BytesIO(data).read, key):
                opened += piece
                assert SECRET_LOG.startswith(opened), "a changed log opens"
                assert key is LOG_KEY
    with contextlib.suppress(DocumentError):
        read_label(io.BytesIO(data).read)
    with contextlib.suppress(DocumentError):
        log_key(data.decode("utf-8", "surrogateescape"))
    with contextlib.suppress(DocumentError):
        envelope = unpack(data)
        read_checkpoint(envelope, (FRESHNESS.public,))
        assert envelope.digest == _checkpoint().digest, "a checkpoint that was never signed"


@cache
def _checkpoint() -> Envelope:
    payload = codec.encode(Checkpoint(log="0" * 64, size=3, root="1" * 64, issued=NOW))
    return sign("checkpoint", payload, [FRESHNESS])


def _sealed() -> list[bytes]:
    whole = b"".join(seal_log([SECRET_LOG], recipient=LOG_KEY.public, label=b"c07"))
    return [whole, _checkpoint().pack(), LOG_KEY.public.encode(), b"0" * 64, *material.FOREIGN]


def _forms() -> list[bytes]:
    made = []
    for kind, envelope in material.spoken().items():
        form = {
            "controller": CONFIG.controller,
            "kind": str(kind),
            "payload": base64.b64encode(envelope.payload).decode(),
            "envelope": base64.b64encode(envelope.pack()).decode(),
            "return_url": f"{CONFIG.controller}/signing",
        }
        made.append(material.json_seed(form))
    return [*made, material.json_seed({"controller": "http://[", "kind": "alert", "payload": ""}), *material.FOREIGN]


def _signer_files() -> list[bytes]:
    key = codec.encode(seal(C1, name="c1", holder="Bà Sáu", passphrase="mật khẩu", cost=CHEAP))
    entry = codec.encode(Entry(NOW, Kind.SCHEDULE, COMMUNE, "0" * 64, "c1", "Bà Sáu", 3))
    places = material.json_seed({COMMUNE: {"name": "Xã", "loudspeakers": 9, "people": 1}})
    return [key, entry + b"\n" + entry, places, b"[" * 5000, *material.FOREIGN]


def _technician_files() -> list[bytes]:
    answer = {"cursor": "c", "parcels": [material.parcel().decode()], "alerts": []}
    device = {"device": "c07", "place": material.PLACE, "controller_url": "http://127.0.0.1:1", "mqtt_host": "h"}
    whole = device | {"mqtt_port": 1, "token": "t", "anchor": "anchor.json", "data": "data"}
    return [material.json_seed(answer), material.json_seed(whole), material.office_grant().pack(), *material.FOREIGN]


def _bodies() -> list[bytes]:
    when = {"kind": "weekly", "time": "17:00", "days": [1, 3], "first_date": "2025-11-25", "last_date": "25/12/2025"}
    once = {"kind": "once", "date": "30/11/2025", "time": "17:00"}
    draft = {"unit": COMMUNE, "title": "Tin", "content": {"kind": "relay", "frequency_khz": 99_900}, "when": when}
    return [material.json_seed(draft), material.json_seed(draft | {"when": once}), *material.FOREIGN]


def _words() -> list[bytes]:
    told = base64.urlsafe_b64encode(b'["done","Xong"]')
    held = material.json_seed({"action": "/units", "fields": [["a", "b"]]})
    return [told, base64.urlsafe_b64encode(b"5"), base64.urlsafe_b64encode(b"[" * 3000), held, b"1.250", b"[" * 3000]


def _messages() -> list[bytes]:
    status = material.reports()[3]
    return [b"loalang/v1/d/c07/up/status\n" + status, b"loalang/v1/d/c07/up/online\n1", b"\xff/\n", *material.FOREIGN]


def _of(run: Callable[[bytes], None], seeds: Callable[[], list[bytes]], runs: int = 3_000) -> Target:
    return Target(run, seeds, _MODULES, runs=runs)


TARGETS = {
    "hand_over": _of(hand_over, _forms),
    "signer_files": _of(signer_files, _signer_files, 1_000),
    "technician": _of(technician, _technician_files, 1_000),
    "json_body": _of(json_body, _bodies),
    "form_texts": _of(form_texts, _words),
    "reports_in": _of(reports_in, _messages),
    "sealed_log": _of(sealed_log, _sealed, 2_000),
}
