"""The root that enrolment pins: it must be a root, and the anchor beside it the one that its targets name.

A root file alone says nothing of the anchor; where it lies among the published metadata, as in `metadata/` of the
repository, on a stick or on the controller, the newest targets of the same folder are asked.
"""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import Any, Final

from tuf.api.exceptions import RepositoryError
from tuf.api.metadata import Metadata, Root, Targets

from provisioning.errors import ProvisioningError
from provisioning.i18n import gettext as _
from provisioning.root_metadata import read_metadata

ROOT: Final = "root.json"
_ANCHOR: Final = "anchor.json"
_ROTATIONS_MAX: Final = 256
_TARGETS: Final = re.compile(r"([0-9]{1,9})\.targets\.json")


def read_root(path: Path) -> bytes:
    """The bytes of a root file that its own holders have signed.

    Raises:
        ProvisioningError: it is none, or too few have signed it.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        words = _("%(path)s cannot be read: %(why)s")
        raise ProvisioningError(words % {"path": path, "why": error.strerror}) from error
    made = read_metadata(data)
    if not isinstance(made.signed, Root):
        raise ProvisioningError(_("%(path)s is not a root file.") % {"path": path})
    _check(made.signed, Root.type, made)
    return data


def names_anchor(path: Path, anchor: bytes) -> bool:
    """Whether the targets beside a root file name this anchor; False when there are none that could.

    Raises:
        ProvisioningError: they name another one, or are not signed by the root's holders.
    """
    newest = _newest_targets(path.parent)
    if newest is None:
        return False
    targets = read_metadata(newest.read_bytes())
    _check(_last_root(path), Targets.type, targets)
    named = targets.signed.targets.get(_ANCHOR)
    if named is None:
        return False
    if named.hashes.get("sha256") != hashlib.sha256(anchor).hexdigest():
        raise ProvisioningError(_("The root names another anchor than this one. Take both from the same ceremony."))
    return True


def _newest_targets(folder: Path) -> Path | None:
    found = {int(one[1]): path for path in folder.iterdir() if (one := _TARGETS.fullmatch(path.name))}
    return found[max(found)] if found else None


def _last_root(path: Path) -> Root:
    """The root that followed from the pinned one, step by step, as a device will walk."""
    root = read_metadata(path.read_bytes()).signed
    for _step in range(_ROTATIONS_MAX):
        following = path.parent / f"{root.version + 1}.root.json"
        if not following.exists():
            break
        made = read_metadata(following.read_bytes())
        _check(root, Root.type, made)
        _check(made.signed, Root.type, made)
        root = made.signed
    assert isinstance(root, Root), "read as a root, and checked to be followed by roots"
    return root


def _check(root: Any, role: str, made: Metadata[Any]) -> None:
    try:
        root.verify_delegate(role, made.signed_bytes, made.signatures)
    except (RepositoryError, ValueError) as error:
        words = _("Too few holders of the root have signed the %(role)s.")
        raise ProvisioningError(words % {"role": role}) from error
