"""What can be asked: begin with a root, refresh, download one target, or bring everything a device needs (`sync`)."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tuf.api.exceptions import RepositoryError

from edge.updates.durable import make_directory, write_durably
from edge.updates.http_fetch import IDLE_S, TOTAL_S, HttpFetcher, Tls
from edge.updates.software import Offer, Wish, newest, offers
from edge.updates.stick_fetch import SCHEME, StickFetcher
from edge.updates.updater import ROOT_BYTES_MAX, RootUpdater
from protocol.clock import WallMs
from protocol.limits import ALERT_ENVELOPE_BYTES_MAX

ANCHOR: Final = "anchor.json"
WORD: Final = "root-word.json"
SOFTWARE_BYTES_MAX: Final = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Origin:
    """Where the files come from; close the fetcher when done."""

    metadata_url: str
    target_url: str | None
    fetcher: HttpFetcher | StickFetcher


def from_web(url: str, *, tls: Tls | None = None, total_s: float = TOTAL_S, idle_s: float = IDLE_S) -> Origin:
    """A controller's `/root`: `metadata/` and `targets/` lie below it."""
    fetcher = HttpFetcher(total_s=total_s, idle_s=idle_s, tls=tls)
    return Origin(f"{url.rstrip('/')}/metadata/", f"{url.rstrip('/')}/targets/", fetcher)


def from_stick(directory: Path) -> Origin:
    """The folder `loalang-root` of a stick, laid out in the same way."""
    return Origin(f"{SCHEME}metadata/", f"{SCHEME}targets/", StickFetcher(directory))


@dataclass(frozen=True, slots=True)
class Synced:
    """What is trusted now.

    Attributes:
        anchor, word: files, or None when the province publishes none.
        software: what is offered for this machine, newest first.
        taken: the file of the newest one, when it is newer than what runs.
        expires: end of root, timestamp, snapshot and targets.
        changed: something was written that was not there before.
    """

    anchor: Path | None
    word: Path | None
    software: tuple[Offer, ...]
    taken: Path | None
    expires: dict[str, WallMs]
    changed: bool


def init(metadata: Path, root: Path) -> None:
    """Begins with a root file: what was trusted from another root is forgotten, what followed from this one stays."""
    data = _read_root(root)
    make_directory(metadata)
    known = (metadata / "root.json", *(metadata / "root_history").glob("*.root.json"))
    if known[0].is_file() and any(path.is_file() and path.read_bytes() == data for path in known):
        return
    for old in metadata.glob("*.json"):
        old.unlink()
    shutil.rmtree(metadata / "root_history", ignore_errors=True)
    write_durably(metadata / "root.json", data)


def refresh(metadata: Path, origin: Origin) -> None:
    """Brings the four top-level files up to date.

    Raises:
        RepositoryError, DownloadError, OSError: not all of it could be done; what was verified is kept.
    """
    _updater(metadata, origin).refresh()


def download(metadata: Path, origin: Origin, *, target: str, into: Path) -> Path:
    """Refreshes and brings one target.

    Raises:
        RepositoryError, DownloadError, OSError: not all of it could be done.
    """
    into.mkdir(parents=True, exist_ok=True)
    taken = _updater(metadata, origin).take(target, into=into)
    if taken is None:
        raise RepositoryError(f"there is no target {target[:200]!r}")
    return taken[0]


def sync(
    metadata: Path,
    origin: Origin,
    *,
    into: Path,
    root: bytes | None = None,
    wall: WallMs | None = None,
    wish: Wish | None = None,
) -> Synced:
    """Brings the root's word, the anchor and, if wished, newer software, each as a whole; ends at the first error.

    Args:
        metadata: directory of what is trusted; one process at a time.
        into: where the files are put: `anchor.json`, `root-word.json`, `software/…`.
        root: the root that enrolment pinned; what lies in `metadata` when None.
        wall: the time by which metadata expire; the system's when None.

    Raises:
        RepositoryError, DownloadError, OSError: what had come whole before is new, all else stays as it was.
    """
    for directory in (metadata, into, into / "software"):
        make_directory(directory)
    updater = _updater(metadata, origin, root=root, wall=wall)
    updater.refresh()
    # What is denied comes first: whoever holds back one of the two may silence us, but not keep a stolen grant alive.
    word = updater.take(WORD, into=into, bytes_max=ALERT_ENVELOPE_BYTES_MAX)
    anchor = updater.take(ANCHOR, into=into, bytes_max=ALERT_ENVELOPE_BYTES_MAX)
    wish = wish or Wish()
    found = offers(updater.top_targets(), wish)
    best = newest(found, wish)
    taken = updater.take(best.target, into=into / "software", bytes_max=SOFTWARE_BYTES_MAX) if best else None
    if taken and taken[1]:
        _tidy(into / "software", keep=taken[0])
    return Synced(
        anchor=anchor[0] if anchor else None,
        word=word[0] if word else None,
        software=found,
        taken=taken[0] if taken else None,
        expires=updater.expiries(),
        changed=any(one is not None and one[1] for one in (anchor, word, taken)),
    )


def _tidy(directory: Path, *, keep: Path) -> None:
    """One version waits at a time; a card has no room for all that ever were."""
    for path in directory.iterdir():
        if path != keep:
            path.unlink()


def _updater(metadata: Path, origin: Origin, *, root: bytes | None = None, wall: WallMs | None = None) -> RootUpdater:
    return RootUpdater(
        metadata,
        metadata_url=origin.metadata_url,
        target_url=origin.target_url,
        fetcher=origin.fetcher,
        root=root if root is not None else _read_root(metadata / "root.json"),
        wall=wall,
    )


def _read_root(path: Path) -> bytes:
    with path.open("rb") as file:
        data = file.read(ROOT_BYTES_MAX + 1)
    if len(data) > ROOT_BYTES_MAX:
        raise RepositoryError(f"{path.name} is larger than any root")
    return data
