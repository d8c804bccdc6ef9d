"""The pages: take a request in, show it, sign it, hand it back."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

import aiohttp_jinja2
from aiohttp import web

from protocol.envelope import unpack
from signer.act import sign_open
from signer.authorities import Signatory, signatories
from signer.check import check_acceptable
from signer.desk import OpenReview, check_token
from signer.errors import GoneError, RequestRefusedError, SignerError
from signer.expiry import Ending, endings, root_ending
from signer.guard import check_handed_over, check_own_page
from signer.hand_back import ControllerAwayError, body_of, hand_back
from signer.i18n import gettext as _
from signer.key_ring import HeldKey
from signer.keys import CONFIG, DESK, PEN, PLACES, SESSION, SHELF, WALL
from signer.learning import LEARNER
from signer.review import Review, media_of, read_hand_over
from signer.root import metadata_of
from signer.sheet import background, needed_media, sheet_of
from signer.shelf import MediaState
from signer.witness import WITNESS, Witness, words_of

_MEDIA_WAIT_S: Final = 1.5
_PASSPHRASE_CHARS_MAX: Final = 200
_FOLDER_CHARS_MAX: Final = 400


def setup(app: web.Application) -> None:
    """Adds the pages."""
    app[WITNESS] = Witness(app[CONFIG].data, controller=app[CONFIG].controller)
    app.router.add_get("/", home)
    app.router.add_post("/review", take)
    app.router.add_get("/review/{id}", show)
    for name, act in (("sign", sign), ("send", send), ("recordings", take_recordings)):
        app.router.add_post(f"/review/{{id}}/{name}", act)
        app.router.add_get(f"/review/{{id}}/{name}", show_again)
    app.router.add_get("/review/{id}/envelopes.json", download)
    app.router.add_get("/review/{id}/media/{digest}", listen)


async def home(request: web.Request) -> web.Response:
    """Says what this program is and whose keys lie here."""
    app = request.app
    look = await app[PEN].ring.look()
    freshness_keys = app[PEN].store.known().anchor.freshness_keys
    sight = await app[WITNESS].look(app[SESSION], freshness_keys, app[WALL]())
    shown = {"keys": look.keys, "problem": look.problem, "sight": sight, "doubt": words_of(sight)}
    shown |= {"endings": _endings(request, look.keys), "places": app[PLACES]}
    return _render(request, "home.html", shown)


def _endings(request: web.Request, keys: Iterable[HeldKey]) -> tuple[Ending, ...]:
    """What ends: the offices of these keys, and the root."""
    app = request.app
    wall, data = app[WALL](), app[CONFIG].data
    root = root_ending(metadata_of(data), wall)
    return (*endings(app[PEN].store.known(), keys, wall), *((root,) if root else ()))


async def take(request: web.Request) -> web.Response:
    """Takes what the controller's page hands over, and shows it under an address of its own."""
    check_handed_over(request)
    review = read_hand_over(dict(await request.post()), config=request.app[CONFIG])
    _check(request, review)
    found = request.app[DESK].lay(review)
    raise web.HTTPSeeOther(f"/review/{found.id}")


def _check(request: web.Request, review: Review) -> None:
    pen = request.app[PEN]
    check_acceptable(review, log=pen.log, known=pen.store.known(), wall=request.app[WALL]())


async def show(request: web.Request) -> web.Response:
    """The document in words."""
    found = request.app[DESK].get(request.match_info["id"])
    if found.done:
        return _done(request, found)
    if found.envelopes:
        return _render(request, "signed.html", {"found": found, "results": (), "away": False})
    return await _show(request, found)


async def show_again(request: web.Request) -> web.Response:
    """A form's address opened as a page: a reload, or the other language."""
    raise web.HTTPSeeOther(f"/review/{request.match_info['id']}")


async def _show(request: web.Request, found: OpenReview, *, problem: str = "", status: int = 200) -> web.Response:
    shelf, review = request.app[SHELF], found.review
    needed = needed_media(review, request.app[PEN].log)
    await shelf.want(needed, wait_s=_MEDIA_WAIT_S)
    states = {media: shelf.state(media) for media in media_of(review.document)}
    keys = (await request.app[PEN].ring.look()).keys
    behind = background(request.app[PEN], request.app[PLACES], keys=keys, now=request.app[WALL]())
    shown = {
        "found": found,
        "review": review,
        "sheet": sheet_of(review, behind),
        "unit": request.app[PLACES].name(review.document.scope),
        "signatories": await _signatories(request, found),
        "states": states,
        "media_ready": all(states[media] is MediaState.CHECKED for media in needed),
        "fetching": any(states[media] is MediaState.FETCHING for media in needed),
        "root": root_ending(metadata_of(request.app[CONFIG].data), request.app[WALL]()),
        "problem": problem,
        "chosen": (await request.post()).get("key", "") if problem else "",
    }
    return _render(request, "review.html", shown, status=status)


async def _signatories(request: web.Request, found: OpenReview) -> tuple[Signatory, ...]:
    review, pen = found.review, request.app[PEN]
    keys, known = (await pen.ring.look()).keys, pen.store.known()
    return signatories(
        review.kind, review.document, review.envelope, keys=keys, known=known, wall=request.app[WALL]()
    )


async def sign(request: web.Request) -> web.Response:
    """Signs, and hands back at once."""
    found = await _own_form(request)
    async with found.lock:
        if not found.envelopes:
            try:
                await _sign(request, found)
            except SignerError as error:
                return await _show(request, found, problem=str(error), status=error.status)
        if found.review.carried:
            return _render(request, "signed.html", {"found": found, "results": (), "away": False})
        return await _hand_back(request, found)


async def _sign(request: web.Request, found: OpenReview) -> None:
    form = await request.post()
    signatory = await _chosen(request, found, str(form.get("key", "")))
    await _check_again(request, found)
    secret = str(form.get("passphrase", ""))[:_PASSPHRASE_CHARS_MAX]
    await sign_open(found, signatory, secret=secret, pen=request.app[PEN], wall=request.app[WALL]())


async def _chosen(request: web.Request, found: OpenReview, name: str) -> Signatory:
    for one in await _signatories(request, found):
        if one.key.name == name and not one.signed:
            return one
    raise RequestRefusedError(_("Please choose who signs."))


async def _check_again(request: web.Request, found: OpenReview) -> None:
    """A page may lie open for minutes: what was true when it opened is asked again."""
    review, shelf = found.review, request.app[SHELF]
    _check(request, review)
    needed = needed_media(review, request.app[PEN].log)
    await shelf.want(needed, wait_s=_MEDIA_WAIT_S)
    if any(shelf.state(media) is not MediaState.CHECKED for media in needed):
        raise RequestRefusedError(_("A recording could not be checked, so nothing was signed."))


async def send(request: web.Request) -> web.Response:
    """Tries again to hand back what is signed."""
    found = await _own_form(request)
    if not found.envelopes:
        raise GoneError(_("Nothing is signed here yet."))
    async with found.lock:
        return await _hand_back(request, found)


async def take_recordings(request: web.Request) -> web.Response:
    """Takes recordings from a folder of this machine, where the controller cannot be reached."""
    found = await _own_form(request)
    folder = str((await request.post()).get("folder", ""))[:_FOLDER_CHARS_MAX]
    needed = needed_media(found.review, request.app[PEN].log)
    taken = await request.app[SHELF].take_from(Path(folder), needed) if folder else 0
    if not taken:
        return await _show(request, found, problem=_("None of the missing recordings is in that folder."), status=404)
    raise web.HTTPSeeOther(f"/review/{found.id}")


async def _own_form(request: web.Request) -> OpenReview:
    check_own_page(request)
    found = request.app[DESK].get(request.match_info["id"])
    check_token(found, (await request.post()).get("token"))
    return found


async def _hand_back(request: web.Request, found: OpenReview) -> web.Response:
    if found.done:
        return _done(request, found)
    try:
        results = await hand_back(request.app[SESSION], request.app[CONFIG].controller, found.envelopes)
    except ControllerAwayError:
        shown = {"found": found, "results": (), "away": True}
        return _render(request, "signed.html", shown, status=502)
    await request.app[WITNESS].handed_over(results, request.app[WALL]())
    refused = tuple(one for one in results if one.state == "refused")
    if refused:
        shown = {"found": found, "results": refused, "away": False}
        return _render(request, "signed.html", shown, status=409)
    await request.app[LEARNER].accepted([unpack(one.encode()) for one in found.envelopes], results)
    found.done, found.partial = True, any(one.state == "partial" for one in results)
    return _done(request, found)


def _done(request: web.Request, found: OpenReview) -> web.Response:
    if found.review.return_url:
        raise web.HTTPSeeOther(found.review.return_url)
    return _render(request, "done.html", {"review": found.review, "partial": found.partial})


async def download(request: web.Request) -> web.Response:
    """The signed envelopes as a file, to be carried to the controller."""
    found = request.app[DESK].get(request.match_info["id"])
    if not found.envelopes:
        raise GoneError(_("Nothing is signed here yet."))
    name = f"loalang-{found.review.kind}-{found.review.envelope.digest[:12]}.json"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return web.Response(body=body_of(found.envelopes), content_type="application/json", headers=headers)


async def listen(request: web.Request) -> web.StreamResponse:
    """A checked recording of an open request."""
    found = request.app[DESK].get(request.match_info["id"])
    for media in media_of(found.review.document):
        if media.digest == request.match_info["digest"] and request.app[SHELF].state(media) is MediaState.CHECKED:
            return web.FileResponse(request.app[SHELF].path(media.digest), headers={"Content-Type": "audio/ogg"})
    raise GoneError(_("This recording is not here."))


def _render(request: web.Request, template: str, shown: dict[str, Any], *, status: int = 200) -> web.Response:
    return aiohttp_jinja2.render_template(template, request, shown, status=status)
