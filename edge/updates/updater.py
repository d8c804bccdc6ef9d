"""python-tuf's client with our habits of disk: whole files, durable, no links; and with our `OneParentSet`."""

from __future__ import annotations

from pathlib import Path
from typing import Final
from urllib.parse import quote

from tuf.api.exceptions import DownloadHTTPError, RepositoryError
from tuf.api.metadata import Root, Snapshot, TargetFile, Targets, Timestamp
from tuf.ngclient.config import UpdaterConfig
from tuf.ngclient.fetcher import FetcherInterface
from tuf.ngclient.updater import Updater

from edge.updates.durable import make_directory, move_durably, write_durably
from edge.updates.trusted_set import OneParentSet
from protocol.clock import WallMs

ROOT_BYTES_MAX: Final = 512_000
TIMESTAMP_BYTES_MAX: Final = 16_384
SNAPSHOT_BYTES_MAX: Final = 2_000_000
TARGETS_BYTES_MAX: Final = 5_000_000
ROOT_ROTATIONS_MAX: Final = 256
DELEGATIONS_MAX: Final = 32
_LIMITS: Final = UpdaterConfig(
    max_root_rotations=ROOT_ROTATIONS_MAX,
    max_delegations=DELEGATIONS_MAX,
    root_max_length=ROOT_BYTES_MAX,
    timestamp_max_length=TIMESTAMP_BYTES_MAX,
    snapshot_max_length=SNAPSHOT_BYTES_MAX,
    targets_max_length=TARGETS_BYTES_MAX,
)


class WithheldError(DownloadHTTPError):
    """The root names a file that whoever hosts it does not give out."""


class RootUpdater(Updater):
    """One refresh and the fetches that follow it.

    Args:
        root: the root that is believed; newer ones must follow from it.
        wall: the time by which metadata expire; the system's when None.

    Raises:
        RepositoryError: the root is none.
        OSError: the directory cannot be used.
    """

    def __init__(
        self,
        directory: Path,
        *,
        metadata_url: str,
        target_url: str | None,
        fetcher: FetcherInterface,
        root: bytes,
        wall: WallMs | None = None,
    ) -> None:
        self._walked = False
        super().__init__(
            str(directory),
            metadata_url,
            target_base_url=target_url,
            fetcher=fetcher,
            config=_LIMITS,
            bootstrap=root,
        )
        self._trusted_set = OneParentSet(root, wall=wall)
        self._walked = True

    def expiries(self) -> dict[str, WallMs]:
        """When each of the four that are trusted now ends."""
        names = (Root.type, Timestamp.type, Snapshot.type, Targets.type)
        return {name: WallMs(round(self._trusted_set[name].expires.timestamp() * 1000)) for name in names}

    def top_targets(self) -> dict[str, TargetFile]:
        """The targets of the top role, after a refresh."""
        return self._trusted_set.targets.targets

    def take(self, path: str, *, into: Path, bytes_max: int | None = None) -> tuple[Path, bool] | None:
        """Brings a target unless it is there already: its file and whether it is new; None when there is no such.

        Raises:
            RepositoryError: it is not what the metadata say, or larger than allowed.
            DownloadError: it did not come.
            WithheldError: whoever has the metadata does not have the file.
        """
        found = self.get_targetinfo(path)
        if found is None:
            return None
        if bytes_max is not None and found.length > bytes_max:
            raise RepositoryError(f"{path[:80]!r} has {found.length} bytes, at most {bytes_max} are taken")
        place = into / quote(path, "")
        if self.find_cached_target(found, str(place)) is not None:
            return place, False
        part = into / ".part"
        try:
            self.download_target(found, str(part))
            move_durably(part, place)
        except DownloadHTTPError as error:
            raise WithheldError(f"{path[:80]!r} is named by the root and not there", error.status_code) from error
        finally:
            part.unlink(missing_ok=True)
        return place, True

    def _persist_file(self, filename: str, data: bytes) -> None:
        write_durably(Path(filename), data)

    def _persist_root(self, version: int, data: bytes) -> None:
        history = Path(self._dir, "root_history")
        make_directory(history)
        _write_new(history / f"{version}.root.json", data)

    def _update_root_symlink(self) -> None:
        """A file of its own: python-tuf removes a link and makes it again, and a cut between would lose the root."""
        place = Path(self._dir, "root.json")
        # Before the chain was walked our root is older than the newest one known; that one stays.
        if self._walked or not place.exists():
            version = self._trusted_set.root.version
            _write_new(place, Path(self._dir, "root_history", f"{version}.root.json").read_bytes())


def _write_new(path: Path, data: bytes) -> None:
    """Spares the card: what is there already is not written again."""
    if path.is_symlink() or not path.is_file() or path.read_bytes() != data:
        write_durably(path, data)
