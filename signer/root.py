"""Takes a new anchor or word of the root through TUF, and puts them where they count.

The verification runs in a short child process, the same program that devices use, so a fault in a parser ends that
process and not the signer. Nothing falls back: an older word is refused, and epochs once denied stay denied.
"""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Final

from protocol import codec
from protocol.denial import Denied, RootWord, read_root_word
from protocol.errors import DocumentError
from protocol.grants import read_anchor
from protocol.limits import ALERT_ENVELOPE_BYTES_MAX
from signer.disk import write_durably
from signer.errors import UpdateError
from signer.i18n import gettext as _
from signer.word_store import ROOT_WORD

_CHILD: Final = "edge.updates"
_CHILD_S_MAX: Final = 180
STICK_FOLDER: Final = "loalang-root"


@dataclass(frozen=True, slots=True)
class Updated:
    """What changed.

    Attributes:
        software: path of newer software of the signer that was fetched and verified; it is not installed by itself.
    """

    anchor: bool
    word: bool
    software: str | None


def metadata_of(data: Path) -> Path:
    """What this signer trusts of the root."""
    return data / "root" / "metadata"


def program_version() -> str:
    """The version that runs."""
    try:
        return version("loalang")
    except PackageNotFoundError:
        return "0"


def update(data: Path, *, controller: str, stick: Path | None = None) -> Updated:
    """Brings what the root says, from the controller or from a stick.

    Raises:
        UpdateError: it could not be fetched or does not verify; what was there before stays.
    """
    said = _sync(data, ["--usb", str(_folder(stick))] if stick else ["--url", f"{controller.rstrip('/')}/root"])
    anchor, word = said.get("anchor"), said.get("word")
    return Updated(
        anchor=_take_anchor(data, Path(anchor)) if anchor else False,
        word=_take_word(data, Path(word)) if word else False,
        software=said.get("taken"),
    )


def _folder(stick: Path) -> Path:
    below = stick / STICK_FOLDER
    return below if below.is_dir() else stick


def _sync(data: Path, source: list[str]) -> dict[str, Any]:
    metadata = metadata_of(data)
    words = [
        sys.executable,
        "-m",
        _CHILD,
        "--metadata-dir",
        str(metadata),
        "--target-dir",
        str(data / "root" / "targets"),
    ]
    words += ["--product", "signer", "--have-version", program_version(), *source, *_pinned(data, metadata), "sync"]
    try:
        done = subprocess.run(words, capture_output=True, text=True, timeout=_CHILD_S_MAX, check=False)  # noqa: S603
    except (OSError, subprocess.TimeoutExpired) as error:
        raise UpdateError(_("The root did not answer in time. What was there before stays.")) from error
    if done.returncode != 0:
        why = done.stderr.strip().splitlines()[-1][:300] if done.stderr.strip() else str(done.returncode)
        raise UpdateError(_("The root's files were not taken: %(why)s") % {"why": why})
    made: dict[str, Any] = json.loads(done.stdout)
    return made


def _pinned(data: Path, metadata: Path) -> list[str]:
    """The root from the enrolment, the first time only; afterwards what followed from it."""
    if (metadata / "root.json").exists():
        return []
    pinned = next((one for one in (data / "root.json", data.parent / "root.json") if one.exists()), None)
    if pinned is None:
        raise UpdateError(_("This signer has no root file yet. Put root.json of the key ceremony beside its anchor."))
    return ["--root", str(pinned)]


def _take_anchor(data: Path, path: Path) -> bool:
    content = _content(path)
    target = data / "anchor.json"
    try:
        read_anchor(content)
    except DocumentError as error:
        raise UpdateError(_("The anchor from the root cannot be read: %(why)s") % {"why": error}) from error
    if target.exists() and target.read_bytes() == content:
        return False
    write_durably(target, content, mode=0o644)
    return True


def _take_word(data: Path, path: Path) -> bool:
    target = data / ROOT_WORD
    try:
        fresh = read_root_word(_content(path))
        former = read_root_word(_content(target)) if target.exists() else RootWord(0)
    except DocumentError as error:
        raise UpdateError(_("The word of the root cannot be read: %(why)s") % {"why": error}) from error
    if fresh.version <= former.version:
        return False
    merged: dict[str, Denied] = {}
    for one in (*former.denied, *fresh.denied):
        kept = merged.get(one.grantor)
        merged[one.grantor] = one if kept is None or one.epoch > kept.epoch else kept
    write_durably(target, codec.encode(RootWord(fresh.version, tuple(merged.values()), fresh.floor)), mode=0o644)
    return True


def _content(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(ALERT_ENVELOPE_BYTES_MAX + 1)
