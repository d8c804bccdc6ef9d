"""The requests that lie open: in memory only, few, and for a quarter of an hour."""

from __future__ import annotations

import asyncio
import hmac
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from protocol.clock import MonoMs
from signer.errors import ForbiddenError, GoneError, TooManyTriesError
from signer.i18n import gettext as _
from signer.i18n import ngettext
from signer.key_ring import HeldKey, Means
from signer.review import Review

OPEN_MAX: Final = 64
OPEN_MS_MAX: Final = 15 * 60_000
SIGNED_MS_MAX: Final = 86_400_000
TRIES_MAX: Final = 5
CARD_TRIES_MAX: Final = 2
"""Most cards lock at the third wrong PIN; this page alone must not bring one there at a stretch."""
TRIES_WITHIN_MS: Final = 5 * 60_000


@dataclass(slots=True)
class OpenReview:
    """A request, the secret of its form, and what was signed so far.

    Attributes:
        envelopes: packed and signed, waiting to be handed to the controller.
        lock: a double click signs once.
        done: handed back; the second of two clicks is led back as well.
    """

    id: str
    review: Review
    opened: MonoMs
    token: str = field(default_factory=lambda: secrets.token_urlsafe(24))
    envelopes: tuple[str, ...] = ()
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    done: bool = False
    partial: bool = False

    @property
    def life_ms(self) -> int:
        """What is signed but not handed back stays longer: the controller may be away for hours."""
        return SIGNED_MS_MAX if self.envelopes and not self.done else OPEN_MS_MAX


class Desk:
    """Open requests by their random ids."""

    def __init__(self, mono: Callable[[], MonoMs]) -> None:
        self._mono = mono
        self._open: dict[str, OpenReview] = {}

    def lay(self, review: Review) -> OpenReview:
        """Keeps a request; the oldest gives way when there are too many."""
        self._sweep()
        while len(self._open) >= OPEN_MAX:
            del self._open[next(iter(self._open))]
        made = OpenReview(secrets.token_urlsafe(18), review, self._mono())
        self._open[made.id] = made
        return made

    def get(self, review_id: str) -> OpenReview:
        """The request of an id.

        Raises:
            GoneError: it was never there, or its time is over.
        """
        self._sweep()
        if review_id not in self._open:
            raise GoneError(_("This request is no longer here. Please go back to the controller and open it again."))
        return self._open[review_id]

    def _sweep(self) -> None:
        now = self._mono()
        for review_id in [one.id for one in self._open.values() if now - one.opened > one.life_ms]:
            del self._open[review_id]


def check_token(found: OpenReview, token: object) -> None:
    """Only our own page knows the token.

    Raises:
        ForbiddenError: another page sent this form.
    """
    if not isinstance(token, str) or not hmac.compare_digest(token.encode(), found.token.encode()):
        raise ForbiddenError(_("This form did not come from the signer's own page. Nothing was signed."))


class Tries:
    """Wrong passphrases and PINs of each key, so that nobody guesses through the page."""

    def __init__(self, mono: Callable[[], MonoMs]) -> None:
        self._mono = mono
        self._wrong: dict[str, list[MonoMs]] = {}

    def check(self, key: HeldKey) -> None:
        """Refuses another try when there were too many.

        Raises:
            TooManyTriesError: wait a while.
        """
        if self.left(key) > 0:
            return
        if key.means is Means.CARD:
            words = _("Too many wrong PINs. So that the card does not lock itself, wait five minutes and try again.")
        else:
            words = _("Too many wrong passphrases. Please wait five minutes and try again.")
        raise TooManyTriesError(words)

    def left(self, key: HeldKey) -> int:
        """How many tries are left before the pause."""
        recent = [at for at in self._wrong.get(key.lock, []) if self._mono() - at < TRIES_WITHIN_MS]
        self._wrong[key.lock] = recent
        return max(0, (CARD_TRIES_MAX if key.means is Means.CARD else TRIES_MAX) - len(recent))

    def left_words(self, key: HeldKey) -> str:
        """The same as a sentence."""
        left = self.left(key)
        if not left:
            return _("This program now waits five minutes.")
        return ngettext("%(n)d try left.", "%(n)d tries left.", left) % {"n": left}

    def wrong(self, key: HeldKey) -> None:
        """Counts a wrong one."""
        self._wrong.setdefault(key.lock, []).append(self._mono())

    def taken_back(self, key: HeldKey) -> None:
        """Nothing was tried after all: the card was not there."""
        if self._wrong.get(key.lock):
            self._wrong[key.lock].pop()

    def right(self, key: HeldKey) -> None:
        """Forgets the wrong ones."""
        self._wrong.pop(key.lock, None)
