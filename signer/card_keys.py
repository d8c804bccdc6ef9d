"""Keys on a smartcard or another PKCS#11 token: made there, used there, never copied out.

A key's CKA_LABEL is its holder, and its public half is readable without a PIN. PKCS#11 tells no number of tries that
are left, only three flags: a wrong PIN was entered, the next wrong one locks, locked (v2.40, CK_TOKEN_INFO).
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, Final

from pkcs11 import Attribute, KeyType, Mechanism, ObjectClass, Session, Token, TokenFlag, exceptions
from pkcs11.util.ec import encode_named_curve_parameters

from protocol.errors import DocumentError
from protocol.keys import KEY_BYTES, key_id, public_key
from signer.card import CardSlot
from signer.card_line import card_line
from signer.errors import CardError, KeyStoreError, WrongPassphraseError
from signer.i18n import gettext as _
from signer.key_ring import HeldKey, Look, Means

_logger = logging.getLogger(__name__)
_ED25519: Final = encode_named_curve_parameters("1.3.101.112")
"""RFC 8410; the other encoding of PKCS#11 v3, the printable string `edwards25519`, names the same curve."""
_OCTET_STRING: Final = bytes((4, KEY_BYTES))
_KEYS_MAX: Final = 32
_LOOK_S_MAX: Final = 5.0
"""A page must not hang on a reader that does."""
_AWAY: Final = (
    exceptions.NoSuchToken,
    exceptions.TokenNotPresent,
    exceptions.TokenNotRecognised,
    exceptions.DeviceRemoved,
    exceptions.SlotIDInvalid,
    exceptions.SessionHandleInvalid,
    exceptions.SessionClosed,
)
_WRONG_PIN: Final = (exceptions.PinIncorrect, exceptions.PinInvalid, exceptions.PinLenRange)


class CardKeys:
    """The keys of one card, as a source of the key ring."""

    def __init__(self, slot: CardSlot) -> None:
        self._slot = slot
        self._line = card_line(slot.module)
        self._seen: tuple[HeldKey, ...] = ()

    async def look(self) -> Look:
        """Lists the keys; those of a card that was taken out stay on the list, marked."""
        try:
            self._seen = await self._line.call(
                lambda library: _listed(_token(library, self._slot.token)), within_s=_LOOK_S_MAX
            )
        except CardError as error:
            return Look(self._absent(), str(error))
        except exceptions.PKCS11Error as error:
            return Look(self._absent(), str(_explained(error, self._slot.token)))
        return Look(self._seen, self._seen[0].notice if self._seen else "")

    def _absent(self) -> tuple[HeldKey, ...]:
        return tuple(replace(one, present=False) for one in self._seen)

    async def sign(self, key: HeldKey, secret: str, messages: Sequence[bytes]) -> tuple[bytes, ...]:
        """Signs on the card; the login ends with this call, whatever happens."""
        try:
            return await self._line.call(
                lambda library: _signed(_token(library, self._slot.token), key, secret, messages)
            )
        except _WRONG_PIN as error:
            notice = await self._notice()
            raise WrongPassphraseError(_("The PIN is not right.") + (f" {notice}" if notice else "")) from error
        except exceptions.PKCS11Error as error:
            raise _explained(error, self._slot.token) from error

    async def _notice(self) -> str:
        try:
            return await self._line.call(lambda library: pin_notice(_token(library, self._slot.token).flags))
        except (CardError, exceptions.PKCS11Error):
            return ""


def pin_notice(flags: int) -> str:
    """What a card says about its own counter of wrong PINs."""
    if flags & TokenFlag.USER_PIN_LOCKED:
        return _locked()
    if flags & TokenFlag.USER_PIN_FINAL_TRY:
        return _("One more wrong PIN locks this card. If you are not sure, stop and ask whoever issued it.")
    if flags & TokenFlag.USER_PIN_COUNT_LOW:
        return _("A wrong PIN was entered on this card. After a few more it locks itself.")
    return ""


def _locked() -> str:
    return _(
        "The card is locked after too many wrong PINs. Whoever issued it can unlock it; another person can sign."
    )


def _explained(error: exceptions.PKCS11Error, token: str) -> KeyStoreError:
    if isinstance(error, _AWAY):
        return CardError(
            _("The card “%(label)s” is not in the reader. Please put it in and try again.") % {"label": token}
        )
    if isinstance(error, exceptions.PinLocked):
        return CardError(_locked())
    if isinstance(error, exceptions.PinExpired):
        return CardError(_("The PIN of this card must be changed first, with the card's own program."))
    _logger.warning("card %s: %r", token, error)
    words = _("The card could not sign (%(why)s). Please take it out, put it in again and try once more.")
    return CardError(words % {"why": type(error).__name__})


def _token(library: Any, label: str) -> Token:
    found: Token = library.get_token(token_label=label)
    return found


def _listed(token: Token) -> tuple[HeldKey, ...]:
    notice = pin_notice(token.flags)
    with token.open() as session:
        found = [*_public_keys(session)]
    return tuple(
        HeldKey(f"card-{key_id(public)}", label, public, Means.CARD, token.label, notice=notice)
        for label, public in found
    )


def _public_keys(session: Session) -> Iterator[tuple[str, str]]:
    wanted = {Attribute.CLASS: ObjectClass.PUBLIC_KEY, Attribute.KEY_TYPE: KeyType.EC_EDWARDS}
    for at, one in enumerate(session.get_objects(wanted)):
        if at >= _KEYS_MAX:
            return
        try:
            yield str(one[Attribute.LABEL]) or "?", public_half(one[Attribute.EC_POINT])
        except (DocumentError, exceptions.PKCS11Error) as error:
            _logger.debug("a public key on the card is not usable: %s", error)


def public_half(point: bytes) -> str:
    """The key inside CKA_EC_POINT: an OCTET STRING of 32 bytes, or with some modules the bare bytes.

    Raises:
        DocumentError: neither, or not a key that devices accept.
    """
    bare = point.removeprefix(_OCTET_STRING) if len(point) == KEY_BYTES + 2 else point
    return public_key(bare.hex())


def _signed(token: Token, key: HeldKey, pin: str, messages: Sequence[bytes]) -> tuple[bytes, ...]:
    with token.open(user_pin=pin) as session:
        private = _private_half(session, key.public)
        if private[Attribute.EXTRACTABLE] or not private[Attribute.SENSITIVE]:
            raise CardError(_("This key can be copied out of its card, so it is not used. Please make a new one."))
        return tuple(bytes(private.sign(message, mechanism=Mechanism.EDDSA)) for message in messages)


def _private_half(session: Session, public: str) -> Any:
    """Found by the id it shares with its public half (PKCS#11 v2.40, 4.4)."""
    wanted = {Attribute.CLASS: ObjectClass.PUBLIC_KEY, Attribute.KEY_TYPE: KeyType.EC_EDWARDS}
    ids = [one[Attribute.ID] for one in session.get_objects(wanted) if _is(one, public)]
    for same_id in ids:
        half = {
            Attribute.CLASS: ObjectClass.PRIVATE_KEY,
            Attribute.KEY_TYPE: KeyType.EC_EDWARDS,
            Attribute.ID: same_id,
        }
        for private in session.get_objects(half):
            return private
    raise CardError(_("The private half of this key is not on the card. Please tell the technician."))


def _is(one: Any, public: str) -> bool:
    try:
        return public_half(one[Attribute.EC_POINT]) == public
    except DocumentError:
        return False


def make_card_key(slot: CardSlot, *, pin: str, name: str, holder: str) -> str:
    """Makes a key on the card that never leaves it; gives the public half.

    Raises:
        KeyStoreError: wrong PIN, no card, or a key of this name is there already.
    """

    def make(library: Any) -> str:
        with _token(library, slot.token).open(rw=True, user_pin=pin) as session:
            if [*session.get_objects({Attribute.ID: name.encode()})]:
                raise CardError(_("There is already a key with this name: %(name)s") % {"name": name})
            return _generated(session, name, holder)

    try:
        return card_line(slot.module).call_now(make)
    except _WRONG_PIN as error:
        raise WrongPassphraseError(_("The PIN is not right.")) from error
    except exceptions.PKCS11Error as error:
        raise _explained(error, slot.token) from error


def _generated(session: Session, name: str, holder: str) -> str:
    kept = {Attribute.SENSITIVE: True, Attribute.EXTRACTABLE: False, Attribute.PRIVATE: True}
    curve = session.create_domain_parameters(KeyType.EC_EDWARDS, {Attribute.EC_PARAMS: _ED25519}, local=True)
    public, _private = curve.generate_keypair(
        mechanism=Mechanism.EC_EDWARDS_KEY_PAIR_GEN,
        store=True,
        id=name.encode(),
        label=holder,
        private_template=kept,
    )
    return public_half(public[Attribute.EC_POINT])
