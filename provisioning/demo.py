"""The demo's key ceremony: anchor keys, operators and grants of a made-up province, made once and found again.

Everything lies in the data directory. Passphrases are random; they stand in `signer/demo.json`, readable by the owner
only, and the start script prints them. A real province never keeps them together.
"""

from __future__ import annotations

import dataclasses
import json
import re
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
from protocol.sealed import LogKey
from protocol.units import UnitPath, parent, unit_path
from protocol.verbs import Verb
from provisioning.ceremony import hold, make_anchor
from provisioning.demo_chain import PROVINCE, Holder, Table, make_chain, place_all, placed_devices
from provisioning.demo_root import hold_root, root_path
from provisioning.errors import ProvisioningError
from provisioning.log_key import write_log_key
from provisioning.passphrase import make_passphrase
from signer.disk import write_durably
from signer.key_store import COST, KeyStore, read_sealed, seal, unseal
from signer.places import read_places

_ANCHOR_KEYS: Final = ("anchor-1", "anchor-2", "anchor-3")
_ANCHOR_THRESHOLD: Final = 2
_PROVINCE_HOLDERS: Final = ("Trần Thu Hà", "Lý Minh Đức")
_COMMUNE_HOLDERS: Final = ("Nguyễn Thị Lan", "Thạch Sô Phia", "Trần Văn Út")
_LEARNED: Final = re.compile("[0-9a-f]{64}")
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
        grants: envelopes to be posted to the controller, parents before children.
        assignments: words on which loudspeaker belongs where, to be posted after them.
    """

    data: Path
    anchor_path: Path
    anchor: Anchor
    people: tuple[Person, ...]
    grants: tuple[Envelope, ...]
    assignments: tuple[Envelope, ...] = ()

    @property
    def root_path(self) -> Path:
        """The root that devices and signer pin."""
        return root_path(self.data)

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
    log_key: _Secret | None = None
    schema: int = field(default=1, metadata=bounded(low=1, high=1))


def make_ceremony(
    data: Path,
    *,
    freshness_key: str,
    places: Mapping[str, Any],
    communes: Sequence[str] | None = None,
    devices: Mapping[str, str] | None = None,
    wall: WallMs | None = None,
    cost: int = COST,
) -> Ceremony:
    """Holds the ceremony, or finds what an earlier one left; grants that end within a month are renewed.

    Args:
        data: the demo's data directory; the signer's part lies in `signer` below it.
        freshness_key: public key by which the controller signs times and heads.
        places: unit path to `{"name", "loudspeakers", "people"}`, the whole unit counted.
        communes: units with an operator of their own; else the first three below the province.
        devices: place of each loudspeaker by its name; signed when it is not signed yet.
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
        stored, table = _begin(data, communes=chosen, freshness_key=freshness_key, cost=cost)
        _keep_chain(data, make_chain(table, names, wall=now, serial=1))
        _write(_secrets_path(data), codec.encode(stored))
    _renew(data, names=names, freshness_key=freshness_key, wall=now)
    _place(data, {name: unit_path(place) for name, place in (devices or {}).items()}, wall=now)
    made = load_ceremony(data)
    hold_root(data, anchor=codec.encode(made.anchor), wall=now, cost=cost)
    return made


def load_ceremony(data: Path) -> Ceremony:
    """What an earlier ceremony left.

    Raises:
        ProvisioningError: nothing, or something damaged.
    """
    try:
        stored = build(_Stored, json.loads(_secrets_path(data).read_bytes()))
        anchor = read_anchor(_anchor_path(data).read_bytes())
        grants, assignments = _envelopes(data / "signer" / "grants"), _envelopes(data / "signer" / "assignments")
        ordered = hold(grants, anchor)
    except (OSError, ValueError, DocumentError) as error:
        words = f"The demo's keys in {data} cannot be read ({error}). Remove the directory to begin anew."
        raise ProvisioningError(words) from error
    by_digest = {one.digest: one for one in grants}
    return Ceremony(
        data, _anchor_path(data), anchor, stored.people, tuple(by_digest[one] for one in ordered), assignments
    )


def _envelopes(folder: Path) -> tuple[Envelope, ...]:
    """Those of the ceremony; what the signer learned since is named by its digest."""
    files = (path for path in sorted(folder.glob("*.json")) if not _LEARNED.fullmatch(path.stem))
    return tuple(unpack(path.read_bytes()) for path in files)


def _renew(data: Path, *, names: Mapping[UnitPath, str], freshness_key: str, wall: WallMs) -> None:
    found = load_ceremony(data)
    if found.anchor.freshness_keys != (freshness_key,):
        _write_anchor(data, dataclasses.replace(found.anchor, freshness_keys=(freshness_key,)))
    held = [_grant(one) for one in found.grants]
    whole = any(Verb.GRANT in one.verbs for one in held)
    if whole and min(one.expires for one in held) - wall > _RENEW_BEFORE_MS:
        return
    serial = max((_grant(one).serial for one in (*found.grants, *_learned(data))), default=0) + 1
    table = _reopen(data, load_ceremony(data).anchor)
    _keep_chain(data, make_chain(table, names, wall=wall, serial=serial))


def _grant(envelope: Envelope) -> Grant:
    return codec.decode(Grant, envelope.payload, bytes_max=_FILE_BYTES_MAX)


def _learned(data: Path) -> list[Envelope]:
    """Renewals that were signed since at the pages: the next serial is above theirs."""
    files = (data / "signer" / "grants").glob("*.json")
    return [unpack(path.read_bytes()) for path in files if _LEARNED.fullmatch(path.stem)]


def _place(data: Path, devices: Mapping[str, UnitPath], *, wall: WallMs) -> None:
    found = load_ceremony(data)
    person = found.people[0]
    folder = data / "signer" / "assignments"
    named = placed_devices(_envelopes(folder))
    missing = {name: place for name, place in devices.items() if name not in named}
    if missing:
        key = unseal(KeyStore(data / "signer" / "keys").get(person.key), person.passphrase)
        for name, envelope in place_all(missing, wall=wall, signer=key).items():
            _write(folder / f"{name}.json", envelope.pack())


def _keep_chain(data: Path, chain: Mapping[str, Envelope]) -> None:
    for name, envelope in chain.items():
        _write(data / "signer" / "grants" / f"{name}.json", envelope.pack())


def _communes(names: Mapping[UnitPath, str]) -> list[UnitPath]:
    below = sorted(path for path in names if parent(path) == PROVINCE)
    return below[: len(_COMMUNE_HOLDERS)]


def _begin(data: Path, *, communes: Sequence[UnitPath], freshness_key: str, cost: int) -> tuple[_Stored, Table]:
    vault = KeyStore(data / "ceremony" / "keys")
    secrets = tuple(_Secret(name, make_passphrase()) for name in _ANCHOR_KEYS)
    signers = tuple(_new_key(vault, one.name, one.name, one.passphrase, cost) for one in secrets)
    anchor = make_anchor(
        PROVINCE,
        keys=[key.public for key in signers],
        threshold=_ANCHOR_THRESHOLD,
        freshness_keys=[freshness_key],
    )
    log_secret = _Secret("log-key", make_passphrase())
    anchor = dataclasses.replace(anchor, log_key=_new_log_key(data, log_secret, cost))
    _write_anchor(data, anchor)
    desk = KeyStore(data / "signer" / "keys")
    holders = [(f"p{at}", name, PROVINCE) for at, name in enumerate(_PROVINCE_HOLDERS, 1)]
    holders += [(f"c{at}", _holder(at), commune) for at, commune in enumerate(communes, 1)]
    people, opened = [], {}
    for key, holder, scope in holders:
        passphrase = make_passphrase()
        opened[key] = _new_key(desk, key, holder, passphrase, cost)
        people.append(Person(key, holder, passphrase, opened[key].public, scope))
    return _Stored(tuple(people), secrets, log_secret), Table(anchor, _holders(people), signers, opened)


def _holders(people: Sequence[Person]) -> tuple[Holder, ...]:
    return tuple(Holder(one.key, one.holder, one.public, one.scope) for one in people)


def _holder(number: int) -> str:
    return _COMMUNE_HOLDERS[(number - 1) % len(_COMMUNE_HOLDERS)]


def _new_key(store: KeyStore, name: str, holder: str, passphrase: str, cost: int) -> SigningKey:
    key = SigningKey.generate()
    store.put(seal(key, name=name, holder=holder, passphrase=passphrase, cost=cost))
    return key


def _new_log_key(data: Path, secret: _Secret, cost: int) -> str:
    path = data / "ceremony" / f"{secret.name}.json"
    path.unlink(missing_ok=True)  # of a ceremony that was interrupted: no device has pinned it
    key = LogKey.generate()
    write_log_key(path, key, secret.passphrase, cost=cost)
    return key.public


def _reopen(data: Path, anchor: Anchor) -> Table:
    stored = build(_Stored, json.loads(_secrets_path(data).read_bytes()))
    vault, desk = data / "ceremony" / "keys", KeyStore(data / "signer" / "keys")
    above = tuple(unseal(read_sealed(vault / f"{one.name}.json"), one.passphrase) for one in stored.anchor_keys)
    opened = {one.key: unseal(desk.get(one.key), one.passphrase) for one in stored.people}
    return Table(anchor, _holders(stored.people), above, opened)


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
