"""The demo's key ceremony: anchor keys, operators and grants of a made-up province, made once and found again.

Everything lies in the data directory. Passphrases are random; they stand in `signer/demo.json`, readable by the owner
only, and the start script prints them. A real province never keeps them together.
"""

from __future__ import annotations

import dataclasses
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from protocol import codec
from protocol.clock import DAY_MS, WallMs
from protocol.codec import bounded, build
from protocol.envelope import Envelope, unpack
from protocol.errors import DocumentError
from protocol.grants import Anchor, Grant, read_anchor
from protocol.keys import SigningKey, public_key
from protocol.units import UnitPath, parent, unit_path
from protocol.verbs import Verb
from provisioning.ceremony import OPERATOR_LIFE_MS, Office, check_complete, make_anchor, make_grant
from provisioning.errors import ProvisioningError
from provisioning.passphrase import make_passphrase
from signer.disk import write_durably
from signer.key_store import COST, KeyStore, read_sealed, seal, unseal
from signer.places import read_places

PROVINCE: Final = unit_path("vn/92")
_ANCHOR_KEYS: Final = ("anchor-1", "anchor-2", "anchor-3")
_ANCHOR_THRESHOLD: Final = 2
_PROVINCE_HOLDERS: Final = ("Trần Thu Hà", "Lý Minh Đức")
_COMMUNE_HOLDERS: Final = ("Nguyễn Thị Lan", "Thạch Sô Phia", "Trần Văn Út")
_DAILY: Final = (Verb.SCHEDULE, Verb.CONFIGURE, Verb.LIVE, Verb.STOP)
_RENEW_BEFORE_MS: Final = 30 * DAY_MS
_FILE_BYTES_MAX: Final = 256 * 1024


@dataclass(frozen=True, slots=True)
class Person:
    """An operator of the demo.

    Attributes:
        key: name of the key file, such as `p1`.
        scope: unit of the grant.
    """

    key: str
    holder: str
    passphrase: str
    public: str
    scope: UnitPath


@dataclass(frozen=True, slots=True)
class Ceremony:
    """What the ceremony left behind.

    Attributes:
        anchor_path: the file that devices, controller and signer pin.
        people: operators with their passphrases: p1, p2, then c1 and so on.
        grants: envelopes to be posted to the controller.
    """

    data: Path
    anchor_path: Path
    anchor: Anchor
    people: tuple[Person, ...]
    grants: tuple[Envelope, ...]

    def person(self, key: str) -> Person:
        """The operator of a key name."""
        return next(one for one in self.people if one.key == key)


@dataclass(frozen=True, slots=True)
class _Secret:
    name: str
    passphrase: str


@dataclass(frozen=True, slots=True)
class _Stored:
    """`signer/demo.json`: written last, so a ceremony that was interrupted begins anew."""

    people: tuple[Person, ...]
    anchor_keys: tuple[_Secret, ...]
    schema: int = field(default=1, metadata=bounded(low=1, high=1))


@dataclass(frozen=True, slots=True)
class _Made:
    """Keys that are open while the ceremony lasts."""

    stored: _Stored
    anchor: Anchor
    anchor_signers: tuple[SigningKey, ...]


def make_ceremony(
    data: Path,
    *,
    freshness_key: str,
    places: Mapping[str, Any],
    communes: Sequence[str] | None = None,
    wall: WallMs | None = None,
    cost: int = COST,
) -> Ceremony:
    """Holds the ceremony, or finds what an earlier one left; grants that end within a month are renewed.

    Args:
        data: the demo's data directory; the signer's part lies in `signer` below it.
        freshness_key: public key by which the controller signs times and heads.
        places: unit path to `{"name", "loudspeakers", "people"}`, the whole unit counted.
        communes: units with an operator of their own; else the first three below the province.
        cost: scrypt's n, lower in tests.

    Raises:
        ProvisioningError: what lies in the directory is damaged.
    """
    public_key(freshness_key)
    now = WallMs(time.time_ns() // 1_000_000) if wall is None else wall
    names = {path: place.name for path, place in read_places(places).items()}
    _write(data / "signer" / "places.json", json.dumps(dict(places), ensure_ascii=False, indent=1).encode())
    if not _secrets_path(data).exists():
        chosen = [unit_path(one) for one in communes] if communes is not None else _communes(names)
        made = _begin(data, communes=chosen, freshness_key=freshness_key, cost=cost)
        _make_grants(data, made, names=names, wall=now, serial=1)
        _write(_secrets_path(data), codec.encode(made.stored))
    return _find(data, names=names, freshness_key=freshness_key, wall=now)


def load_ceremony(data: Path) -> Ceremony:
    """What an earlier ceremony left.

    Raises:
        ProvisioningError: nothing, or something damaged.
    """
    try:
        stored = build(_Stored, json.loads(_secrets_path(data).read_bytes()))
        anchor = read_anchor(_anchor_path(data).read_bytes())
        files = sorted((data / "signer" / "grants").glob("*.json"))
        grants = tuple(unpack(path.read_bytes()) for path in files)
    except (OSError, ValueError, DocumentError) as error:
        words = f"The demo's keys in {data} cannot be read ({error}). Remove the directory to begin anew."
        raise ProvisioningError(words) from error
    return Ceremony(data, _anchor_path(data), anchor, stored.people, grants)


def _find(data: Path, *, names: Mapping[UnitPath, str], freshness_key: str, wall: WallMs) -> Ceremony:
    found = load_ceremony(data)
    if found.anchor.freshness_keys != (freshness_key,):
        _write_anchor(data, dataclasses.replace(found.anchor, freshness_keys=(freshness_key,)))
        found = load_ceremony(data)
    held = [codec.decode(Grant, one.payload, bytes_max=_FILE_BYTES_MAX) for one in found.grants]
    if held and min(one.expires for one in held) - wall > _RENEW_BEFORE_MS:
        return found
    serial = max((one.serial for one in held), default=0) + 1
    _make_grants(data, _reopen(data, found.anchor), names=names, wall=wall, serial=serial)
    return load_ceremony(data)


def _communes(names: Mapping[UnitPath, str]) -> list[UnitPath]:
    below = sorted(path for path in names if parent(path) == PROVINCE)
    return below[: len(_COMMUNE_HOLDERS)]


def _begin(data: Path, *, communes: Sequence[UnitPath], freshness_key: str, cost: int) -> _Made:
    vault = KeyStore(data / "ceremony" / "keys")
    secrets = tuple(_Secret(name, make_passphrase()) for name in _ANCHOR_KEYS)
    signers = tuple(_new_key(vault, one.name, one.name, one.passphrase, cost) for one in secrets)
    anchor = make_anchor(
        PROVINCE,
        keys=[key.public for key in signers],
        threshold=_ANCHOR_THRESHOLD,
        freshness_keys=[freshness_key],
    )
    _write_anchor(data, anchor)
    desk = KeyStore(data / "signer" / "keys")
    holders = [(f"p{at}", name, PROVINCE) for at, name in enumerate(_PROVINCE_HOLDERS, 1)]
    holders += [(f"c{at}", _holder(at), commune) for at, commune in enumerate(communes, 1)]
    people = tuple(_new_person(desk, *holder, cost=cost) for holder in holders)
    return _Made(_Stored(people, secrets), anchor, signers)


def _holder(number: int) -> str:
    return _COMMUNE_HOLDERS[(number - 1) % len(_COMMUNE_HOLDERS)]


def _new_person(desk: KeyStore, key: str, holder: str, scope: UnitPath, *, cost: int) -> Person:
    passphrase = make_passphrase()
    made = _new_key(desk, key, holder, passphrase, cost)
    return Person(key, holder, passphrase, made.public, scope)


def _new_key(store: KeyStore, name: str, holder: str, passphrase: str, cost: int) -> SigningKey:
    key = SigningKey.generate()
    store.put(seal(key, name=name, holder=holder, passphrase=passphrase, cost=cost))
    return key


def _reopen(data: Path, anchor: Anchor) -> _Made:
    stored = build(_Stored, json.loads(_secrets_path(data).read_bytes()))
    vault = data / "ceremony" / "keys"
    opened = (unseal(read_sealed(vault / f"{one.name}.json"), one.passphrase) for one in stored.anchor_keys)
    return _Made(stored, anchor, tuple(opened))


def offices(people: Sequence[Person], names: Mapping[UnitPath, str]) -> dict[str, Office]:
    """The grants of the demo by file name: two of the whole province, one for each commune."""
    above = tuple(one.public for one in people if one.scope == PROVINCE)
    made = {
        "province-daily": Office("Trung tâm truyền thông thành phố", PROVINCE, _DAILY, above),
        "province-alert": Office("Trực khẩn cấp thành phố", PROVINCE, (Verb.ALERT, Verb.ALERT_WIDE), above, 2),
    }
    for one in people:
        if one.scope != PROVINCE:
            unit = names.get(one.scope, one.scope)
            name = f"Đài truyền thanh {unit[:1].lower()}{unit[1:]}"
            made[f"commune-{one.key}"] = Office(name, one.scope, (*_DAILY, Verb.ALERT), (one.public,))
    return made


def _make_grants(data: Path, made: _Made, *, names: Mapping[UnitPath, str], wall: WallMs, serial: int) -> None:
    for name, office in offices(made.stored.people, names).items():
        envelope = make_grant(
            office,
            signers=made.anchor_signers[: made.anchor.threshold],
            # Machines of one demo may disagree by a little; a grant from tomorrow would silence it for a day.
            not_before=WallMs(wall - DAY_MS),
            life_ms=OPERATOR_LIFE_MS,
            serial=serial,
        )
        assert check_complete(envelope, made.anchor), "the demo's own grants hold"
        _write(data / "signer" / "grants" / f"{name}.json", envelope.pack())


def _write_anchor(data: Path, anchor: Anchor) -> None:
    for path in (_anchor_path(data), data / "signer" / "anchor.json"):
        _write(path, codec.encode(anchor))


def _anchor_path(data: Path) -> Path:
    return data / "anchor.json"


def _secrets_path(data: Path) -> Path:
    return data / "signer" / "demo.json"


def _write(path: Path, content: bytes) -> None:
    try:
        write_durably(path, content)
    except OSError as error:
        raise ProvisioningError(f"{path} cannot be written: {error.strerror}") from error
