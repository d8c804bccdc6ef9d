"""Who of the people here may sign a document, and how many signatures it still needs.

The signer keeps its own copy of the anchor and of the grants, so the controller cannot talk it into showing a
signature as sufficient. What it finds before signing is checked again with `protocol.authority` afterwards.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from protocol.authority import authorise
from protocol.clock import WallMs
from protocol.document import Kind, SpeechDocument, kind_of, required_verb
from protocol.envelope import Envelope, unpack
from protocol.errors import DocumentError, Refusal
from protocol.grants import ANCHOR_ID, Anchor, Grant, HeldGrant, accept_grant, as_grant, chain, read_anchor
from protocol.limits import ALERT_ENVELOPE_BYTES_MAX, ENVELOPE_BYTES_MAX, GRANT_CHAIN_MAX
from protocol.units import covers
from signer.errors import SetupError
from signer.i18n import gettext as _
from signer.key_store import SealedKey

_logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Signatory:
    """Someone who may sign a document, under one grant.

    Attributes:
        office: the grant's holder, such as a commune's station.
        have, need: signatures under that grant now, and its threshold.
        signed: whether this person's signature is already there.
    """

    key: SealedKey
    office: str
    have: int
    need: int
    signed: bool

    @property
    def completes(self) -> bool:
        """Whether this signature is the last one needed."""
        return self.have + 1 >= self.need


class Authorities:
    """The anchor and the grants this signer holds."""

    def __init__(self, anchor: Anchor, envelopes: Iterable[Envelope]) -> None:
        self._anchor = anchor
        self._grants = accept_all(anchor, envelopes)

    def signatories(
        self, kind: Kind, document: SpeechDocument, envelope: Envelope, *, keys: Iterable[SealedKey], wall: WallMs
    ) -> tuple[Signatory, ...]:
        """The people whose key lies here and who may sign this, each under the grant that needs fewest more."""
        possible = [*self._allowing(kind, document, wall)]
        made = (_best(key, possible, envelope) for key in keys)
        return tuple(one for one in made if one is not None)

    def _allowing(self, kind: Kind, document: SpeechDocument, wall: WallMs) -> Iterator[Grant]:
        verb = required_verb(kind, document)
        for held in (*self._grants.values(), HeldGrant(ANCHOR_ID, as_grant(self._anchor))):
            links = (held,) if held.digest == ANCHOR_ID else chain(held, self._grants)
            alive = links is not None and all(one.grant.not_before <= wall < one.grant.expires for one in links)
            if alive and verb in held.grant.verbs and covers(held.grant.scope, document.scope):
                yield held.grant

    def verdict(self, envelope: Envelope, *, wall: WallMs) -> Refusal | None:
        """What a device would say to it; None when it would obey."""
        try:
            authorise(envelope, anchor=self._anchor, grants=self._grants, wall=wall, denied={})
        except DocumentError as error:
            return error.refusal
        return None


def _best(key: SealedKey, possible: list[Grant], envelope: Envelope) -> Signatory | None:
    found = []
    for grant in possible:
        if key.public not in grant.keys:
            continue
        signed = envelope.signers(grant.keys)
        others = signed - {key.public}
        found.append(Signatory(key, grant.holder, len(others), grant.threshold, key.public in signed))
    return min(found, key=lambda one: one.need - one.have, default=None)


def accept_all(anchor: Anchor, envelopes: Iterable[Envelope]) -> dict[str, HeldGrant]:
    """Every grant that holds, parents before children whatever their order."""
    held: dict[str, HeldGrant] = {}
    waiting = [*envelopes]
    for _round in range(GRANT_CHAIN_MAX):
        left = []
        for envelope in waiting:
            try:
                made = accept_grant(envelope, anchor, held)
                held[made.digest] = made
            except DocumentError as error:
                left.append(envelope)
                _logger.debug("grant not accepted yet: %s", error)
        if not left or len(left) == len(waiting):
            break
        waiting = left
    return held


def load_authorities(data: Path) -> Authorities:
    """Reads `anchor.json` and `grants/*.json` of the signer's directory.

    Raises:
        SetupError: there is no readable anchor.
    """
    path = next((one for one in (data / "anchor.json", data.parent / "anchor.json") if one.exists()), None)
    if path is None:
        raise SetupError(_("The anchor file is missing. Please enrol this signer first."))
    try:
        anchor = read_anchor(_read(path, ALERT_ENVELOPE_BYTES_MAX))
    except (OSError, DocumentError) as error:
        raise SetupError(_("The anchor file is damaged. Please enrol this signer again.")) from error
    return Authorities(anchor, _grant_files(data / "grants"))


def _grant_files(directory: Path) -> Iterator[Envelope]:
    for path in sorted(directory.glob("*.json")):
        try:
            envelope = unpack(_read(path, ENVELOPE_BYTES_MAX))
            if kind_of(envelope) is Kind.GRANT:
                yield envelope
        except (OSError, DocumentError, json.JSONDecodeError) as error:
            _logger.warning("grant file %s is not readable: %s", path.name, error)


def _read(path: Path, bytes_max: int) -> bytes:
    with path.open("rb") as file:
        return file.read(bytes_max + 1)
