"""One signing: opens the key, signs exactly the bytes that were shown, and writes down that it did."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from protocol.clock import WallMs
from protocol.document import Kind, SpeechDocument, read
from protocol.envelope import Envelope, countersign
from protocol.keys import SigningKey
from signer.authorities import Authorities, Signatory
from signer.desk import OpenReview, Tries
from signer.errors import RequestRefusedError
from signer.i18n import gettext as _
from signer.key_store import unseal
from signer.review import Review
from signer.signed_log import SignedLog


@dataclass(frozen=True, slots=True)
class Pen:
    """What signing needs besides the document."""

    authorities: Authorities
    log: SignedLog
    tries: Tries


async def sign_open(found: OpenReview, signatory: Signatory, *, passphrase: str, pen: Pen, wall: WallMs) -> None:
    """Signs an open request and keeps its envelopes there, ready to be handed back.

    Raises:
        TooManyTriesError, WrongPassphraseError, KeyStoreError: the key did not open.
        RequestRefusedError: the devices would refuse what was signed.
    """
    key = await _open_key(signatory, passphrase=passphrase, tries=pen.tries)
    signed = [_sign(envelope, key, pen.log) for envelope in _to_sign(found.review)]
    # Only the last signature can be judged as a device would: before it, every grant finds something missing.
    if signatory.completes and pen.authorities.verdict(signed[0], wall=wall) is not None:
        raise RequestRefusedError(_("The loudspeakers would not accept this signature. Nothing was sent."))
    for envelope in signed:
        kind, document = _meaning(envelope, found.review)
        await asyncio.to_thread(
            pen.log.add,
            envelope,
            kind=kind,
            document=document,
            wall=wall,
            key=signatory.key.key_id,
            holder=signatory.key.holder,
        )
    found.envelopes = tuple(envelope.pack().decode() for envelope in signed)


async def _open_key(signatory: Signatory, *, passphrase: str, tries: Tries) -> SigningKey:
    name = signatory.key.name
    tries.check(name)
    # Counted before it is known: tries that run side by side must not all slip through.
    tries.wrong(name)
    key = await asyncio.to_thread(unseal, signatory.key, passphrase)
    tries.right(name)
    return key


def _to_sign(review: Review) -> tuple[Envelope, ...]:
    return (review.envelope,) if review.cancel is None else (review.envelope, review.cancel)


def _sign(envelope: Envelope, key: SigningKey, log: SignedLog) -> Envelope:
    """Adds a signature; what another person signed here before is kept with it."""
    former = log.envelope(envelope.digest)
    named = {one.key_id for one in envelope.signatures}
    added = tuple(one for one in former.signatures if one.key_id not in named) if former else ()
    return countersign(Envelope(envelope.payload_type, envelope.payload, (*envelope.signatures, *added)), key)


def _meaning(envelope: Envelope, review: Review) -> tuple[Kind, SpeechDocument]:
    if envelope.digest == review.envelope.digest:
        return review.kind, review.document
    document = read(envelope)
    assert isinstance(document, SpeechDocument), "the prepared cancel is speech"
    return Kind.CANCEL, document
