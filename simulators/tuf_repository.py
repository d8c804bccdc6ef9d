"""A TUF repository in memory, made with python-tuf's own API, and able to do everything that it must not.

Metadata stand in `signed` as objects that may be changed at will; `publish` signs one of them as it is, with whatever
keys `signers` names, and puts it into `files`, from which clients are served. Nothing here is used by the product.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from urllib.parse import quote

from securesystemslib.signer import CryptoSigner
from tuf.api.exceptions import DownloadHTTPError
from tuf.api.metadata import (
    TOP_LEVEL_ROLE_NAMES,
    DelegatedRole,
    Delegations,
    Metadata,
    MetaFile,
    Root,
    Signed,
    Snapshot,
    TargetFile,
    Targets,
    Timestamp,
)
from tuf.api.serialization.json import JSONSerializer
from tuf.ngclient.fetcher import FetcherInterface

BEGIN: Final = datetime(2030, 1, 1, tzinfo=UTC)
_LIFE: Final = timedelta(days=30)
_UNSIGNED: Final = ("timestamp", "root")


class TufRepository:
    """One repository.

    Args:
        begin: the time at which it is made; everything lives for thirty days from then.
        hashes: whether snapshot and timestamp name hashes and lengths, not only versions.

    Attributes:
        files: bytes by path, such as `metadata/1.root.json` and `targets/<hash>.anchor.json`.
        signed: the content of each role, before it is signed.
        signers: keys by role; for a role with two parents the keys of both.
    """

    def __init__(self, *, begin: datetime = BEGIN, consistent: bool = True, hashes: bool = False) -> None:
        self.hashes, self.expires = hashes, begin + _LIFE
        self.files: dict[str, bytes] = {}
        self.signers: dict[str, list[CryptoSigner]] = {}
        self.root = Root(expires=self.expires, consistent_snapshot=consistent)
        self.timestamp = Timestamp(expires=self.expires)
        self.snapshot = Snapshot(expires=self.expires)
        self.targets = Targets(expires=self.expires)
        self.signed: dict[str, Signed] = {
            Root.type: self.root,
            Timestamp.type: self.timestamp,
            Snapshot.type: self.snapshot,
            Targets.type: self.targets,
        }
        for role in sorted(TOP_LEVEL_ROLE_NAMES):
            self.set_keys(role, 1)
        self.publish(Root.type)
        self.renew(Targets.type, bump=False)

    def set_keys(self, role: str, count: int, *, threshold: int | None = None) -> list[CryptoSigner]:
        """Gives a top-level role new keys; publish the root afterwards."""
        self.root.roles[role].keyids.clear()
        made = [CryptoSigner.generate_ed25519() for _ in range(count)]
        for signer in made:
            self.root.add_key(signer.public_key, role)
        self.root.roles[role].threshold = threshold or count
        self.signers[role] = made
        return made

    def publish(self, role: str, *, signers: Iterable[CryptoSigner] | None = None) -> bytes:
        """Signs what the role says now and serves it."""
        content: Any = self.signed[role]
        metadata = Metadata(content)
        for signer in self.signers[role] if signers is None else signers:
            metadata.sign(signer, append=True)
        data = metadata.to_bytes(JSONSerializer())
        name = f"{quote(role, '')}.json"
        versioned = role == Root.type or (self.root.consistent_snapshot and role != Timestamp.type)
        self.files[f"metadata/{self.signed[role].version}.{name}" if versioned else f"metadata/{name}"] = data
        if role == Snapshot.type:
            self.timestamp.snapshot_meta = self._meta(role, data)
        elif role not in _UNSIGNED:
            self.snapshot.meta[f"{role}.json"] = self._meta(role, data)
        return data

    def _meta(self, role: str, data: bytes) -> MetaFile:
        if not self.hashes:
            return MetaFile(self.signed[role].version)
        return MetaFile.from_data(self.signed[role].version, data, ["sha256"])

    def renew(self, *roles: str, bump: bool = True) -> None:
        """Publishes the roles and then snapshot and timestamp, each with the next version."""
        for role in (*roles, Snapshot.type, Timestamp.type):
            self.signed[role].version += bump
            self.publish(role)

    def next_root(self, *, signers: Iterable[CryptoSigner]) -> None:
        """Publishes the root's next version, signed by these: the holders before and after the change."""
        self.root.version += 1
        self.publish(Root.type, signers=signers)

    def add(self, path: str, data: bytes, *, role: str = Targets.type, custom: dict[str, Any] | None = None) -> None:
        """Adds a target; renew its role afterwards."""
        made = TargetFile.from_data(path, data, ["sha256"])
        if custom is not None:
            made.unrecognized_fields["custom"] = custom
        signed = self.signed[role]
        assert isinstance(signed, Targets)
        signed.targets[path] = made
        self.files[self.file_of(path, made)] = data

    def file_of(self, path: str, made: TargetFile) -> str:
        """Where a target is served."""
        folder, slash, name = path.rpartition("/")
        prefix = f"{made.hashes['sha256']}." if self.root.consistent_snapshot else ""
        return f"targets/{folder}{slash}{prefix}{name}"

    def delegate(
        self,
        parent: str,
        child: str,
        *,
        paths: Iterable[str] = ("*",),
        terminating: bool = False,
        signer: CryptoSigner | None = None,
    ) -> CryptoSigner:
        """Lets a role speak for paths, with a key of its own for each parent; renew both afterwards."""
        above = self.signed[parent]
        assert isinstance(above, Targets)
        above.delegations = above.delegations or Delegations({}, roles={})
        assert above.delegations.roles is not None
        above.delegations.roles[child] = DelegatedRole(child, [], 1, terminating, list(paths))
        signer = signer or CryptoSigner.generate_ed25519()
        above.add_key(signer.public_key, child)
        self.signers.setdefault(child, []).append(signer)
        self.signed.setdefault(child, Targets(expires=self.expires))
        return signer

    def fetch(self, path: str) -> bytes:
        """The file a client asks for; KeyError when there is none."""
        return self.files[path]


class MemoryFetcher(FetcherInterface):
    """Serves a repository without a network; keeps what was asked for in `asked`."""

    def __init__(self, repository: TufRepository) -> None:
        self._repository = repository
        self.asked: list[str] = []

    def close(self) -> None:
        """Nothing is open."""

    def _fetch(self, url: str) -> Iterator[bytes]:
        path = url.removeprefix("memory://")
        self.asked.append(path)
        if path not in self._repository.files:
            raise DownloadHTTPError(path, 404)
        return iter([self._repository.fetch(path)])
