"""One signing: opens the key, signs exactly the bytes that were shown, and writes down that it did."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from protocol.clock import WallMs
from protocol.document import Kind, SpeechDocument, read
from protocol.envelope import Envelope, Signature
from signer.authorities import Signatory
from signer.desk import OpenReview, Tries
from signer.errors import CardError, RequestRefusedError, WrongPassphraseError
from signer.i18n import gettext as _
from signer.key_ring import HeldKey, KeyRing
from signer.review import Review
from signer.signable import Signable
from signer.signed_log import SignedLog
from signer.word_store import WordStore


@dataclass(frozen=True, slots=True)
class Pen:
    """What signing needs besides the document."""

    store: WordStore
    ring: KeyRing
    log: SignedLog
    tries: Tries


async def sign_open(found: OpenReview, signatory: Signatory, *, secret: str, pen: Pen, wall: WallMs) -> None:
    """Signs an open request and keeps its envelopes there, ready to be handed back.

    Args:
        secret: the passphrase, or the PIN of the card.

    Raises:
        TooManyTriesError, WrongPassphraseError, KeyStoreError: the key did not open.
        RequestRefusedError: the devices would refuse what was signed.
    """
    asked = tuple(_gathered(envelope, pen.log) for envelope in _to_sign(found.review))
    made = await _signatures(signatory.key, secret, [one.signed_bytes() for one in asked], pen)
    signed = [_attached(one, signatory.key.key_id, signature) for one, signature in zip(asked, made, strict=True)]
    # Only the last signature can be judged as a device would: before it, every grant finds something missing.
    if signatory.completes and pen.store.known().verdict(signed[0], wall=wall) is not None:
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


async def _signatures(key: HeldKey, secret: str, messages: Sequence[bytes], pen: Pen) -> tuple[bytes, ...]:
    pen.tries.check(key)
    # Counted before it is known: tries that run side by side must not all slip through.
    pen.tries.wrong(key)
    try:
        made = await pen.ring.sign(key, secret, messages)
    except WrongPassphraseError as error:
        raise WrongPassphraseError(f"{error} {pen.tries.left_words(key)}".strip()) from error
    except CardError:
        pen.tries.taken_back(key)
        raise
    pen.tries.right(key)
    return made


def _to_sign(review: Review) -> tuple[Envelope, ...]:
    return (review.envelope,) if review.cancel is None else (review.envelope, review.cancel)


def _gathered(envelope: Envelope, log: SignedLog) -> Envelope:
    """What another person signed here before is kept with it."""
    former = log.envelope(envelope.digest)
    named = {one.key_id for one in envelope.signatures}
    added = tuple(one for one in former.signatures if one.key_id not in named) if former else ()
    return Envelope(envelope.payload_type, envelope.payload, (*envelope.signatures, *added))


def _attached(envelope: Envelope, name: str, signature: bytes) -> Envelope:
    others = tuple(one for one in envelope.signatures if one.key_id != name)
    return Envelope(envelope.payload_type, envelope.payload, (*others, Signature(name, signature)))


def _meaning(envelope: Envelope, review: Review) -> tuple[Kind, Signable]:
    if envelope.digest == review.envelope.digest:
        return review.kind, review.document
    document = read(envelope)
    assert isinstance(document, SpeechDocument), "the prepared cancel is speech"
    return Kind.CANCEL, document
