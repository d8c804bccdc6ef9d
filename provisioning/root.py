"""A province's TUF repository as a directory: what is published, and drafts that wait for signatures.

    metadata/   1.root.json, 1.targets.json, 1.snapshot.json, timestamp.json: what clients fetch
    targets/    <digest>.anchor.json and the rest, by digest
    draft/      metadata that too few have signed; a holder signs a copy of the file on a machine without a network

Nothing is published before enough holders have signed it; the next in the chain (root, targets, snapshot, timestamp)
is drafted when the one before it is published. Published files are never changed.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from securesystemslib.signer import CryptoSigner
from tuf.api.metadata import Metadata, MetaFile, Root, Snapshot, TargetFile, Targets, Timestamp
from tuf.api.serialization.json import JSONSerializer

from protocol.clock import DAY_MS, WallMs
from provisioning.errors import ProvisioningError
from provisioning.i18n import gettext as _
from provisioning.root_keys import ROLES, RoleKeys, put_keys
from provisioning.root_metadata import Made, read_metadata
from signer.disk import write_durably

LIVES_MS: Final = {
    Root.type: 365 * DAY_MS,
    Targets.type: 365 * DAY_MS,
    Snapshot.type: 92 * DAY_MS,
    Timestamp.type: 92 * DAY_MS,
}
_NUMBERED: Final = re.compile(r"([0-9]{1,9})\.([a-z]+)\.json")


@dataclass(frozen=True, slots=True)
class Waiting:
    """A draft that too few have signed.

    Attributes:
        missing: how many signatures; of the old and the new holders the larger number, when the root changes hands.
    """

    role: str
    file: Path
    missing: int


@dataclass(frozen=True, slots=True)
class NewTarget:
    """A file to be published.

    Attributes:
        path: its TUF path, such as `anchor.json`.
        custom: what clients choose by, such as version and platform.
    """

    path: str
    data: bytes
    custom: Mapping[str, str] | None = None


class RootDirectory:
    """The repository in `directory`; `wall` is the present, by which lives begin."""

    def __init__(self, directory: Path, *, wall: WallMs) -> None:
        self.directory, self._wall = directory, wall
        self._metadata, self._targets, self._drafts = (directory / one for one in ("metadata", "targets", "draft"))

    def begin(self, holders: Mapping[str, RoleKeys]) -> None:
        """Drafts the first root and empty targets.

        Raises:
            ProvisioningError: there is a repository already.
        """
        if self.published(Root.type) or self.draft(Root.type):
            raise ProvisioningError(_("There is already a root in %(path)s.") % {"path": self.directory})
        root = Root(expires=self._end(Root.type), consistent_snapshot=True)
        for role in ROLES:
            put_keys(root, role, holders[role])
        self._write_draft(Metadata(root))
        self._write_draft(Metadata(Targets(expires=self._end(Targets.type))))

    def rotate(self, holders: Mapping[str, RoleKeys]) -> None:
        """Drafts the next root: new holders for some roles, or only a new life."""
        root = self._now(Root.type).signed
        for role, held in holders.items():
            put_keys(root, role, held)
        self._redraft(root)

    def offer(self, new: Iterable[NewTarget], *, removed: Iterable[str] = ()) -> None:
        """Drafts the next targets; their files are there at once, but named by nobody yet."""
        waiting = self.draft(Targets.type)
        targets = (waiting or self._now(Targets.type)).signed
        for path in removed:
            if targets.targets.pop(path, None) is None:
                raise ProvisioningError(_("There is no target %(path)s.") % {"path": path})
        for one in new:
            made = TargetFile.from_data(one.path, one.data, ["sha256"])
            if one.custom:
                made.unrecognized_fields["custom"] = dict(one.custom)
            targets.targets[one.path] = made
            folder, slash, name = one.path.rpartition("/")
            file = self._targets / f"{folder}{slash}{made.hashes['sha256']}.{name}"
            write_durably(file, one.data, mode=0o644)
        if waiting:
            targets.expires = self._end(Targets.type)
            self._write_draft(Metadata(targets))
        else:
            self._redraft(targets)

    def renew(self) -> None:
        """Drafts snapshot and timestamp anew, with a new life; the timestamp follows when the snapshot is signed."""
        self._now(Targets.type)
        self._draft_snapshot()

    def collect(self, data: bytes) -> None:
        """Takes over the signatures of a copy that a holder has signed.

        Raises:
            ProvisioningError: it is not a copy of one of the drafts, or nobody with a part in it has signed it.
        """
        copy = read_metadata(data)
        draft = self.draft(copy.signed.type)
        if draft is None or draft.signed_bytes != copy.signed_bytes:
            raise ProvisioningError(_("This file is not one of the drafts that wait here."))
        counting = self.key_ids(draft)
        signed = {name: one for name, one in copy.signatures.items() if name in counting}
        if not signed:
            raise ProvisioningError(_("No signature in this file counts here."))
        draft.signatures.update(signed)
        self._write_draft(draft)

    def advance(self, signers: Iterable[CryptoSigner] = ()) -> tuple[Waiting, ...]:
        """Signs with what is given, publishes what is complete, drafts what follows; says what still waits."""
        keys = tuple(signers)
        for role in ROLES:
            draft = self.draft(role)
            if draft is None:
                continue
            for key in keys:
                if key.public_key.keyid in self.key_ids(draft):
                    draft.sign(key, append=True)
            if self._missing(draft) or (role != Root.type and self.published(Root.type) is None):
                self._write_draft(draft)
            else:
                self._publish(draft)
        return self.waiting()

    def waiting(self) -> tuple[Waiting, ...]:
        """Drafts that too few have signed."""
        drafts = [draft for role in ROLES if (draft := self.draft(role))]
        return tuple(Waiting(one.signed.type, self._draft_path(one), self._missing(one)) for one in drafts)

    def copy_to(self, place: Path) -> None:
        """Puts what is published where a controller serves it; the timestamp comes last: no state is half there."""
        if self.published(Timestamp.type) is None:
            raise ProvisioningError(_("Nothing is published yet; signatures are still missing."))
        for folder in (self._targets, self._metadata):
            files = sorted(path for path in folder.rglob("*") if path.is_file())
            for path in sorted(files, key=lambda one: one.name == "timestamp.json"):
                _copy(path, place / path.relative_to(self.directory))

    @property
    def begun(self) -> bool:
        """Whether there is a root, signed or not."""
        return self.published(Root.type) is not None or self.draft(Root.type) is not None

    def published(self, role: str) -> Made | None:
        """The newest published metadata of a role."""
        path = self.file(role)
        return read_metadata(path.read_bytes()) if path else None

    def file(self, role: str) -> Path | None:
        """The newest published file of a role."""
        if role == Timestamp.type:
            path = self._metadata / "timestamp.json"
            return path if path.exists() else None
        found = (_NUMBERED.fullmatch(path.name) for path in self._metadata.glob("*.json"))
        versions = [int(one[1]) for one in found if one and one[2] == role]
        return self._metadata / f"{max(versions)}.{role}.json" if versions else None

    def draft(self, role: str) -> Made | None:
        """The draft of a role that waits."""
        for path in sorted(self._drafts.glob(f"*.{role}.json")):
            return read_metadata(path.read_bytes())
        return None

    def target(self, path: str) -> bytes | None:
        """The bytes of a target as they are published now."""
        now = self.published(Targets.type)
        made = now.signed.targets.get(path) if now else None
        if made is None:
            return None
        folder, slash, name = path.rpartition("/")
        return (self._targets / f"{folder}{slash}{made.hashes['sha256']}.{name}").read_bytes()

    def _now(self, role: str) -> Made:
        found = self.published(role)
        if found is None:
            words = _("The %(role)s in %(path)s still waits for signatures, or there is none.")
            raise ProvisioningError(words % {"role": role, "path": self.directory})
        return found

    def _end(self, role: str) -> datetime:
        return datetime.fromtimestamp((self._wall + LIVES_MS[role]) // 1000, UTC)

    def _redraft(self, signed: Any) -> None:
        signed.version += 1
        signed.expires = self._end(signed.type)
        self._write_draft(Metadata(signed))

    def _write_draft(self, made: Made) -> None:
        for old in self._drafts.glob(f"*.{made.signed.type}.json"):
            old.unlink()
        write_durably(self._draft_path(made), made.to_bytes(JSONSerializer()), mode=0o644)

    def _draft_path(self, made: Made) -> Path:
        return self._drafts / f"{made.signed.version}.{made.signed.type}.json"

    def key_ids(self, draft: Made) -> set[str]:
        """TUF's names of the keys whose signatures count under a draft; of a new root also those of the old one."""
        role, now = draft.signed.type, self.published(Root.type)
        roots = [now, draft] if role == Root.type else [now or self.draft(Root.type)]
        return {key_id for one in roots if one for key_id in one.signed.roles[role].keyids}

    def _missing(self, draft: Made) -> int:
        role, root = draft.signed.type, self.published(Root.type)
        if role == Root.type:
            result = draft.signed.get_root_verification_result(
                root.signed if root else None, draft.signed_bytes, draft.signatures
            )
            return int(max(result.first.missing, result.second.missing))
        root = root or self.draft(Root.type)
        assert root is not None, "a repository begins with its root"
        return int(root.signed.get_verification_result(role, draft.signed_bytes, draft.signatures).missing)

    def _publish(self, made: Made) -> None:
        role, draft = made.signed.type, self._draft_path(made)
        name = "timestamp.json" if role == Timestamp.type else draft.name
        write_durably(self._metadata / name, made.to_bytes(JSONSerializer()), mode=0o644)
        draft.unlink(missing_ok=True)
        if role == Root.type:
            self._redraft_unbelieved()
        elif role == Targets.type:
            self._draft_snapshot()
        elif role == Snapshot.type:
            self._draft_timestamp()

    def _redraft_unbelieved(self) -> None:
        """What the former holders signed no longer counts; the new ones sign it again."""
        for role in ROLES[1:]:
            now = self.published(role)
            if now and self._missing(now) and not self.draft(role):
                self._redraft(now.signed)

    def _draft_snapshot(self) -> None:
        now, meta = self.published(Snapshot.type), {"targets.json": self._meta(Targets.type)}
        if now is None:
            self._write_draft(Metadata(Snapshot(expires=self._end(Snapshot.type), meta=meta)))
            return
        now.signed.meta.update(meta)
        self._redraft(now.signed)

    def _draft_timestamp(self) -> None:
        now, meta = self.published(Timestamp.type), self._meta(Snapshot.type)
        if now is None:
            self._write_draft(Metadata(Timestamp(expires=self._end(Timestamp.type), snapshot_meta=meta)))
            return
        now.signed.snapshot_meta = meta
        self._redraft(now.signed)

    def _meta(self, role: str) -> MetaFile:
        path = self.file(role)
        assert path is not None, "what follows is drafted when this is published"
        return MetaFile.from_data(self._now(role).signed.version, path.read_bytes(), ["sha256"])


def _copy(path: Path, place: Path) -> None:
    if not place.exists() or place.read_bytes() != path.read_bytes():
        place.parent.mkdir(parents=True, exist_ok=True)
        fresh = place.with_name(f".{place.name}.new")
        shutil.copyfile(path, fresh)
        fresh.replace(place)
