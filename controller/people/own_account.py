"""One's own account: name, password, roles."""

from __future__ import annotations

from aiohttp import web
from sqlalchemy.ext.asyncio import AsyncConnection

from controller.audit.log import note
from controller.keys import CLOCK, ENGINE
from controller.people.access import SESSION, viewer_of
from controller.people.domain import Viewer
from controller.people.form import name_in
from controller.people.passwords import check_new, hash_password, password_matches
from controller.people.queries import account_by_id, close_sessions, rename, set_password
from controller.store.engine import reading, writing
from controller.units.queries import names_of
from controller.web.explained import N_, Explained
from controller.web.i18n import gettext
from controller.web.once import Done, once
from controller.web.page import Told, page


async def show_own_account(request: web.Request) -> web.Response:
    """Name, roles and the form for a new password."""
    viewer = viewer_of(request)
    async with reading(request.app[ENGINE]) as connection:
        names = await names_of(connection, [held.scope for held in viewer.roles])
    return page(request, "people/own_account.html", {"names": names})


async def _note(request: web.Request, connection: AsyncConnection, act: str, viewer: Viewer) -> None:
    at, subject = request.app[CLOCK](), f"{viewer.home or ''}#{viewer.login}"
    await note(connection, act, at=at, account=viewer.account, subject=subject, detail=viewer.name)


async def change_name(request: web.Request) -> web.Response:
    """Changes the name that others see."""
    viewer, form = viewer_of(request), await request.post()
    name = name_in(form)

    async def work() -> Done:
        async with writing(request.app[ENGINE]) as connection:
            await rename(connection, viewer.account, name)
            await _note(request, connection, "people.rename", viewer)
        return Done("/account", Told(gettext("Your name was changed.")))

    return await once(request, str(form.get("once", "")), work)


async def change_password(request: web.Request) -> web.Response:
    """Changes the password, when the present one is given; signs out everywhere else."""
    viewer, form = viewer_of(request), await request.post()
    fresh = check_new(str(form.get("fresh", "")))
    if fresh != str(form.get("again", "")):
        raise Explained(N_("The two new passwords are not the same. Type the new password twice."))
    async with reading(request.app[ENGINE]) as connection:
        account = await account_by_id(connection, viewer.account)
    if account is None or not await password_matches(account.password_hash, str(form.get("present", ""))):
        raise Explained(N_("Your present password is not right, so nothing was changed."), code="wrong_password")
    hashed = await hash_password(fresh)

    async def work() -> Done:
        async with writing(request.app[ENGINE]) as connection:
            await set_password(connection, viewer.account, hashed)
            await close_sessions(connection, viewer.account, but=request[SESSION].id_hash)
            await _note(request, connection, "people.own_password", viewer)
        return Done("/account", Told(gettext("Your password was changed. Other browsers were signed out.")))

    return await once(request, str(form.get("once", "")), work)
