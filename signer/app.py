"""Puts the signer together."""

from __future__ import annotations

import secrets
import time
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import aiohttp_jinja2
import jinja2
from aiohttp import web

from protocol.clock import MonoMs, WallMs
from signer import file_routes, hello, i18n, keys, routes, wording
from signer.act import Pen
from signer.card_keys import CardKeys
from signer.config import SignerConfig
from signer.desk import Desk, Tries
from signer.file_keys import FileKeys
from signer.guard import explain, set_headers, speak, stay_home
from signer.key_ring import KeyRing, KeySource
from signer.key_store import KeyStore
from signer.keys import Mono, Wall
from signer.learning import LEARNER, Learner
from signer.places import load_places
from signer.rendering import OPTIONS, TEMPLATES
from signer.review import FORM_BYTES_MAX
from signer.shelf import Shelf
from signer.signed_log import SignedLog
from signer.word_store import WordStore

_HERE = Path(__file__).parent


def _wall() -> WallMs:
    return WallMs(time.time_ns() // 1_000_000)


def _mono() -> MonoMs:
    return MonoMs(time.monotonic_ns() // 1_000_000)


def make_app(config: SignerConfig, *, wall: Wall = _wall, mono: Mono = _mono) -> web.Application:
    """Makes the program.

    Raises:
        SetupError: the signer is not enrolled.
    """
    i18n.compile_catalogues()
    app = web.Application(client_max_size=FORM_BYTES_MAX, middlewares=[speak, explain, stay_home])
    app[keys.CONFIG] = config
    app[keys.WALL] = wall
    app[keys.FORM_TOKEN] = secrets.token_urlsafe(24)
    app[keys.DESK] = Desk(mono)
    app[keys.PLACES] = load_places(config.data)
    app[keys.PEN] = make_pen(config, mono)
    app[LEARNER] = Learner(app[keys.PEN].store, controller=config.controller, wall=wall)
    app.on_response_prepare.append(set_headers)
    app.cleanup_ctx.append(_outside)
    _set_up_pages(app, config)
    routes.setup(app)
    hello.setup(app)
    file_routes.setup(app)
    app.router.add_static("/static", _HERE / "static")
    return app


def make_pen(config: SignerConfig, mono: Mono = _mono) -> Pen:
    """What signing needs, for the pages and for the command line."""
    store = WordStore(config.data)
    sources: list[KeySource] = [FileKeys(KeyStore(config.data / "keys")), *map(CardKeys, config.cards)]
    return Pen(store, KeyRing(sources), SignedLog(config.data / "signed"), Tries(mono))


def _set_up_pages(app: web.Application, config: SignerConfig) -> None:
    pages = aiohttp_jinja2.setup(
        app,
        loader=jinja2.FileSystemLoader(TEMPLATES),
        **OPTIONS,
    )
    pages.install_gettext_callables(i18n.gettext, i18n.ngettext, newstyle=True)  # type: ignore[attr-defined]
    pages.globals.update(config=config, language=i18n.language, words=wording)


async def _outside(app: web.Application) -> AsyncIterator[None]:
    """The one client session towards the controller."""
    async with aiohttp.ClientSession() as session:
        shelf = Shelf(app[keys.CONFIG].data / "media", controller=app[keys.CONFIG].controller, session=session)
        app[keys.SESSION], app[keys.SHELF] = session, shelf
        async with app[LEARNER].running(session):
            yield
        await shelf.close()
