"""Signing at a terminal, for a machine without a browser or without a network: the same words, checks and keys."""

from __future__ import annotations

import os
import sys
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from getpass import getpass
from pathlib import Path
from typing import Final

import aiohttp

from protocol.bulletin import MediaRef
from protocol.clock import MonoMs, WallMs
from protocol.document import Kind
from signer import wording
from signer.act import Pen, sign_open
from signer.authorities import Signatory, signatories
from signer.check import check_acceptable
from signer.config import SignerConfig
from signer.desk import OpenReview
from signer.disk import write_durably
from signer.errors import RequestRefusedError
from signer.hand_back import body_of
from signer.i18n import gettext as _
from signer.key_ring import HeldKey, Means
from signer.places import load_places
from signer.rendering import as_text, environment
from signer.request_file import read_request_file
from signer.review import FORM_BYTES_MAX, Review, media_of
from signer.sheet import background, needed_media, sheet_of
from signer.shelf import MediaState, Shelf

_WIDTH: Final = 72
_FRAMES: Final = {
    Kind.ALERT: ("!", "\x1b[97;41m"),
    Kind.ALERT_DRILL: ("~", "\x1b[97;44m"),
    Kind.ALERT_TEST: (".", "\x1b[2m"),
}
"""Signs first and colours second: a terminal may have none, and some eyes do not tell red from green."""


@dataclass(frozen=True, slots=True)
class Person:
    """Whoever sits at the terminal: what is said to them, what they type, and what nobody may see them type."""

    say: Callable[[str], object] = print
    ask: Callable[[str], str] = input
    ask_secret: Callable[[str], str] = getpass


@dataclass(frozen=True, slots=True)
class Errand:
    """One file to sign.

    Attributes:
        media: folder with recordings, beside what the controller gives.
        key: name of the key that signs; asked for when empty and several could.
    """

    file: Path
    out: Path
    media: Path | None = None
    key: str = ""


async def sign_file(errand: Errand, *, config: SignerConfig, pen: Pen, wall: WallMs, person: Person) -> None:
    """Shows what a file says, asks, signs and writes the signed file.

    Raises:
        SignerError: with the reason in words; nothing was written.
    """
    review = read_request_file(_content(errand.file), config=config)
    check_acceptable(review, log=pen.log, known=pen.store.known(), wall=wall)
    keys = (await pen.ring.look()).keys
    states = await _recordings(errand, review, config, pen)
    person.say(_sheet(review, states, config=config, pen=pen, keys=keys, wall=wall))
    for media, state in states.items():
        if state is MediaState.CHECKED:
            person.say(_("Recording, checked: %(path)s") % {"path": config.data / "media" / media.digest})
    if any(states.get(media) is not MediaState.CHECKED for media in needed_media(review, pen.log)):
        raise RequestRefusedError(_("A recording could not be checked, so nothing was signed."))
    able = signatories(review.kind, review.document, review.envelope, keys=keys, known=pen.store.known(), wall=wall)
    signatory = _chosen([one for one in able if not one.signed], errand.key, person)
    _confirm(review.kind, person)
    found = OpenReview("terminal", review, MonoMs(0))
    prompt = _("PIN of the card") if signatory.key.means is Means.CARD else _("Passphrase")
    await sign_open(found, signatory, secret=person.ask_secret(f"{prompt}: "), pen=pen, wall=wall)
    write_durably(errand.out, body_of(found.envelopes), mode=0o644)
    person.say(_("Signed. Carry this file to the controller: %(path)s") % {"path": errand.out})
    if not signatory.completes:
        person.say(_("It waits for the next signature."))


def _content(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(FORM_BYTES_MAX + 1)
    except OSError as error:
        words = _("The file %(path)s cannot be read: %(why)s")
        raise RequestRefusedError(words % {"path": path, "why": error.strerror}) from error


async def _recordings(errand: Errand, review: Review, config: SignerConfig, pen: Pen) -> dict[MediaRef, MediaState]:
    """Looks in the folder first: a machine without a network waits for nothing then."""
    async with aiohttp.ClientSession() as session:
        shelf = Shelf(config.data / "media", controller=config.controller, session=session)
        needed = needed_media(review, pen.log)
        if errand.media is not None:
            await shelf.take_from(errand.media, needed)
        await shelf.want(needed, wait_s=20)
        states = {media: shelf.state(media) for media in media_of(review.document)}
        await shelf.close()
    return states


def _sheet(
    review: Review,
    states: dict[MediaRef, MediaState],
    *,
    config: SignerConfig,
    pen: Pen,
    keys: tuple[HeldKey, ...],
    wall: WallMs,
) -> str:
    places = load_places(config.data)
    behind = background(pen, places, keys=keys, now=wall)
    page = (
        environment()
        .get_template("document.html")
        .render(
            review=review,
            sheet=sheet_of(review, behind),
            unit=places.name(review.document.scope),
            states=states,
            found=OpenReview("terminal", review, MonoMs(0)),
            config=config,
        )
    )
    digest = _("Digest of the document:")
    return framed(review.kind, as_text(page)) + f"\n{digest} {review.envelope.digest}"


def framed(kind: Kind, text: str) -> str:
    """A sheet with its kind above and below, unmistakable also without colours."""
    if kind not in _FRAMES:
        return text
    sign, colour = _FRAMES[kind]
    title = f" {wording.kind_words(kind)} ".center(_WIDTH, sign)
    bar = "\n".join((sign * _WIDTH, title, sign * _WIDTH))
    if sys.stdout.isatty() and "NO_COLOR" not in os.environ:
        bar = f"{colour}{bar}\x1b[0m"
    edge = f"{sign * 3} "
    return "\n".join((bar, *(edge + line for line in text.splitlines()), bar))


def _chosen(able: list[Signatory], name: str, person: Person) -> Signatory:
    if not able:
        raise RequestRefusedError(_("Nobody whose key lies on this machine may sign this."))
    if name:
        return _named(able, name)
    person.say(_("Who signs?"))
    for at, one in enumerate(able, 1):
        count = _("signature %(have)d of %(need)d") % {"have": one.have + 1, "need": one.need}
        person.say(f"  {at}  {one.key.holder} · {one.office} · {count} · {one.key.name}")
    typed = person.ask("> ").strip()
    if typed.isdecimal() and 1 <= int(typed) <= len(able):
        return able[int(typed) - 1]
    return _named(able, typed)


def _named(able: list[Signatory], name: str) -> Signatory:
    for one in able:
        if one.key.name == name:
            return one
    raise RequestRefusedError(_("Please choose who signs."))


def _confirm(kind: Kind, person: Person) -> None:
    """Whoever signs the real thing says so; a terminal has no red page around it."""
    word = _("REAL") if kind is Kind.ALERT else _("yes")
    typed = person.ask(_("Type “%(word)s” to sign:") % {"word": word} + " ")
    if _bare(typed) != _bare(word):
        raise RequestRefusedError(_("Nothing was signed."))


def _bare(word: str) -> str:
    """Without case and marks: not every keyboard writes them."""
    letters = unicodedata.normalize("NFD", word.strip().casefold().replace("đ", "d"))
    return "".join(one for one in letters if not unicodedata.combining(one))
