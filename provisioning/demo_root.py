"""The demo's root of trust: three made-up holders, two of whom sign, made once and renewed in time.

The repository lies in `ceremony/root` with the holders' sealed keys beside the anchor's; the controller serves a copy
from `root`, and devices and the signer pin `root.json`. Two of the three also sign the targets, and one of them the
dates: a real province gives these roles to keys of their own.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from tuf.api.metadata import Root, Snapshot, Targets, Timestamp

from protocol import codec
from protocol.clock import DAY_MS, WallMs
from protocol.codec import bounded
from protocol.denial import RootWord
from protocol.errors import DocumentError
from protocol.keys import SigningKey
from provisioning.errors import ProvisioningError
from provisioning.passphrase import make_passphrase
from provisioning.root import NewTarget, RootDirectory
from provisioning.root_keys import ROLES, RoleKeys, tuf_signer
from provisioning.root_word import TARGET
from signer.disk import write_durably
from signer.key_store import COST, KeyStore, read_sealed, seal, unseal

_HOLDERS: Final = ("root-1", "root-2", "root-3")
_THRESHOLD: Final = 2
_RENEW_BEFORE_MS: Final = 30 * DAY_MS
_FILE_BYTES_MAX: Final = 16 * 1024


@dataclass(frozen=True, slots=True)
class _Secret:
    name: str
    passphrase: str


@dataclass(frozen=True, slots=True)
class _Secrets:
    """`ceremony/root.json`: written last, so a root that was interrupted begins anew."""

    keys: tuple[_Secret, ...]
    schema: int = field(default=1, metadata=bounded(low=1, high=1))


def root_path(data: Path) -> Path:
    """What devices and the signer pin."""
    return data / "root.json"


def hold_root(data: Path, *, anchor: bytes, wall: WallMs, cost: int = COST) -> None:
    """Begins the root, or renews what runs out; the anchor given is the one that it names.

    Raises:
        ProvisioningError: what lies in the directory is damaged.
    """
    try:
        if not _secrets_path(data).exists():
            _begin(data, wall=wall, cost=cost)
        repository = RootDirectory(_folder(data), wall=wall)
        if _is_due(repository, anchor, wall):
            _publish(repository, anchor, opened_holders(data), wall=wall)
        repository.copy_to(data / "root")
    except (OSError, DocumentError) as error:
        words = f"The demo's root in {data} cannot be used ({error}). Remove the directory to begin anew."
        raise ProvisioningError(words) from error


def opened_holders(data: Path) -> tuple[SigningKey, ...]:
    """The holders' keys, all at one table as only a demo has them."""
    stored = codec.decode(_Secrets, _secrets_path(data).read_bytes(), bytes_max=_FILE_BYTES_MAX)
    return tuple(unseal(read_sealed(_vault(data) / f"{one.name}.json"), one.passphrase) for one in stored.keys)


def repository_of(data: Path, *, wall: WallMs) -> RootDirectory:
    """The demo's repository, as its holders would open it."""
    return RootDirectory(_folder(data), wall=wall)


def _begin(data: Path, *, wall: WallMs, cost: int) -> None:
    shutil.rmtree(_folder(data), ignore_errors=True)
    secrets = tuple(_Secret(name, make_passphrase()) for name in _HOLDERS)
    keys = [SigningKey.generate() for _ in secrets]
    store = KeyStore(_vault(data))
    for key, one in zip(keys, secrets, strict=True):
        store.put(seal(key, name=one.name, holder=one.name, passphrase=one.passphrase, cost=cost))
    held = tuple(key.public for key in keys)
    many, single = RoleKeys(held, _THRESHOLD), RoleKeys(held[:1])
    repository = RootDirectory(_folder(data), wall=wall)
    repository.begin({Root.type: many, Targets.type: many, Snapshot.type: single, Timestamp.type: single})
    repository.advance([tuf_signer(key) for key in keys[:_THRESHOLD]])
    first = repository.file(Root.type)
    assert first is not None, "two of three have signed it"
    write_durably(root_path(data), first.read_bytes(), mode=0o644)
    write_durably(_secrets_path(data), codec.encode(_Secrets(secrets)))


def _is_due(repository: RootDirectory, anchor: bytes, wall: WallMs) -> bool:
    if repository.target("anchor.json") != anchor or repository.waiting():
        return True
    return any(_left_ms(repository, role, wall) < _RENEW_BEFORE_MS for role in ROLES)


def _left_ms(repository: RootDirectory, role: str, wall: WallMs) -> float:
    made = repository.published(role)
    return made.signed.expires.timestamp() * 1000 - wall if made else 0


def _publish(repository: RootDirectory, anchor: bytes, keys: tuple[SigningKey, ...], *, wall: WallMs) -> None:
    signers = [tuf_signer(key) for key in keys[:_THRESHOLD]]
    repository.advance(signers)
    if _left_ms(repository, Root.type, wall) < _RENEW_BEFORE_MS:
        repository.rotate({})
        repository.advance(signers)
    new = [NewTarget("anchor.json", anchor)]
    if repository.target(TARGET) is None:
        new.append(NewTarget(TARGET, codec.encode(RootWord(1))))
    # The targets are signed anew as well: their own life begins again, and snapshot and timestamp follow them.
    repository.offer(new)
    repository.advance(signers)


def _folder(data: Path) -> Path:
    return data / "ceremony" / "root"


def _vault(data: Path) -> Path:
    return data / "ceremony" / "keys"


def _secrets_path(data: Path) -> Path:
    return data / "ceremony" / "root.json"
