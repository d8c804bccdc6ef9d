"""What envelopes are verified against: the pinned anchor, the grants and denials that were accepted, the root's word.

The anchor is put into the data directory by whoever sets the province up, perhaps after the controller's first
start, because it names the controller's freshness key. It is read when it is needed and kept until the file changes.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path

from sqlalchemy.ext.asyncio import AsyncConnection

from controller.root_files.published import FOLDER, Published, PublishedRoot
from controller.signing.judging import Authority
from controller.signing.outgoing import held_grants
from controller.signing.queries import denials_in_force
from protocol.errors import DocumentError
from protocol.grants import Anchor, HeldGrant, read_anchor

logger = logging.getLogger(__name__)

FILE = "anchor.json"


class AnchorMissingError(Exception):
    """There is no readable anchor yet, so nothing can be verified."""


class AuthorityFile:
    """The anchor and the grants, kept between requests: an emergency does not wait for a disk."""

    def __init__(self, data: Path) -> None:
        self._path = data / FILE
        self._anchor: Anchor | None = None
        self._changed_ns = -1
        self._root = PublishedRoot(data / FOLDER)
        self._known: tuple[dict[str, HeldGrant], dict[str, int]] | None = None

    def anchor(self) -> Anchor:
        """The anchor as the file says now.

        Raises:
            AnchorMissingError: the file is missing or damaged.
        """
        try:
            changed_ns = self._path.stat().st_mtime_ns
            if self._anchor is None or changed_ns != self._changed_ns:
                self._anchor = read_anchor(self._path.read_bytes())
                self._changed_ns = changed_ns
                self._known = None
        except (OSError, DocumentError) as error:
            raise AnchorMissingError(str(self._path)) from error
        return self._anchor

    async def load(self, connection: AsyncConnection) -> Authority:
        """Anchor, grants and denials. Raises AnchorMissingError."""
        anchor = self.anchor()
        if self._known is None:
            denied = {one.grantor: one.epoch for _, one in await denials_in_force(connection)}
            self._known = await held_grants(connection, anchor), denied
        grants, denied = self._known
        return Authority(anchor, grants, _with_root(denied, self._root.look()))

    def published(self) -> Published:
        """What the root says besides."""
        return self._root.look()

    def forget_grants(self) -> None:
        """A grant or denial came or went: they are read again when they are needed."""
        self._known = None


def _with_root(denied: Mapping[str, int], published: Published) -> dict[str, int]:
    both = dict(denied)
    for one in published.denied:
        both[one.grantor] = max(one.epoch, both.get(one.grantor, 0))
    return both
