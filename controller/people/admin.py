"""The accounts of one's units: whoever is in them sees them, a technician changes them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from aiohttp import web
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from controller.audit.log import note
from controller.keys import CLOCK, ENGINE
from controller.people.access import viewer_of
from controller.people.domain import Account, HeldRole, Role, Viewer, may_manage, may_see
from controller.people.easy_password import easy_password
from controller.people.form import login_in, name_in, role_in
from controller.people.passwords import hash_password
from controller.people.queries import (
    account_by_id,
    accounts_within,
    add_account,
    close_sessions,
    set_active,
    set_password,
    set_roles,
)
from controller.store.engine import reading, writing
from controller.units.queries import names_of, today, units_within
from controller.web.explained import N_, Explained, not_found
from controller.web.i18n import gettext
from controller.web.once import Done, once
from controller.web.page import Told, page


async def show_accounts(request: web.Request) -> web.Response:
    """Everyone who holds a role in one's units."""
    viewer = viewer_of(request)
    async with reading(request.app[ENGINE]) as connection:
        people = await accounts_within(connection, viewer.scopes())
        names = await names_of(connection, [held.scope for one in people for held in one.roles])
    values = {"people": people, "names": names, "manages": viewer.holds(Role.TECHNICIAN)}
    return page(request, "people/accounts.html", values)


async def show_new(request: web.Request) -> web.Response:
    """The form for a new account."""
    viewer = _technician(request)
    async with reading(request.app[ENGINE]) as connection:
        places = await _places(request, connection, viewer)
    return page(request, "people/new_account.html", {"places": places, "roles": tuple(Role)})


async def show_account(request: web.Request) -> web.Response:
    """One account with what one may change of it."""
    viewer = viewer_of(request)
    async with reading(request.app[ENGINE]) as connection:
        account = await _seen(request, connection)
        manages = may_manage(viewer, account) and viewer.holds(Role.TECHNICIAN)
        names = await names_of(connection, [held.scope for held in account.roles])
        places = await _places(request, connection, viewer) if manages else ()
    values = {"account": account, "names": names, "places": places, "manages": manages, "roles": tuple(Role)}
    return page(request, "people/account.html", values)


def _technician(request: web.Request) -> Viewer:
    viewer = viewer_of(request)
    if not viewer.holds(Role.TECHNICIAN):
        raise Explained(
            N_("Only a technician may change accounts. Ask the technician of your unit."),
            status=403,
            code="not_allowed",
        )
    return viewer


async def _places(request: web.Request, connection: AsyncConnection, viewer: Viewer) -> tuple[tuple[str, str], ...]:
    day = today(request.app[CLOCK]())
    found = await units_within(connection, viewer.scopes(Role.TECHNICIAN), day=day)
    return tuple((unit.path, unit.name) for unit in found)


async def _seen(request: web.Request, connection: AsyncConnection) -> Account:
    number = request.match_info["account"]
    account = await account_by_id(connection, int(number)) if number.isdecimal() and len(number) < 10 else None
    if account is None or not may_see(viewer_of(request), account):
        raise not_found()
    return account


async def create_account(request: web.Request) -> web.Response:
    """Makes an account with one role; its first password is told once."""
    viewer, form = _technician(request), await request.post()
    login, name, held = login_in(form), name_in(form), role_in(form, viewer)
    password = easy_password()
    hashed = await hash_password(password)

    async def work() -> Done:
        at = request.app[CLOCK]()
        try:
            async with writing(request.app[ENGINE]) as connection:
                number = await add_account(connection, login, name=name, password_hash=hashed, held=(held,), at=at)
                await _note(request, connection, "people.create", held, login)
        except IntegrityError:
            raise Explained(N_("The login “%(login)s” is taken. Choose another one."), login=login) from None
        return Done(f"/accounts/{number}", _tell_password(login, password), secret=True)

    return await once(request, str(form.get("once", "")), work)


def _tell_password(login: str, password: str) -> Told:
    text = gettext("Login “%(login)s”, password “%(password)s”. Write it down now: it is shown only once.")
    return Told(text % {"login": login, "password": password})


async def _note(request: web.Request, connection: AsyncConnection, act: str, held: HeldRole, login: str) -> None:
    viewer, at = viewer_of(request), request.app[CLOCK]()
    await note(connection, act, at=at, account=viewer.account, subject=f"{held.scope}#{login}", detail=held.role)


Change = Callable[[AsyncConnection, Account], Awaitable[Told]]


async def _change(request: web.Request, act: str, change: Change) -> web.Response:
    """Runs a change of an account that the viewer manages, once, and notes it."""
    viewer, form = _technician(request), await request.post()

    async def work() -> Done:
        async with writing(request.app[ENGINE]) as connection:
            account = await _seen(request, connection)
            if not may_manage(viewer, account):
                raise Explained(
                    N_("You cannot change this account: it is your own, or reaches beyond your units."),
                    status=403,
                    code="not_allowed",
                )
            told = await change(connection, account)
            await _note(request, connection, act, account.roles[0], account.login)
        return Done(f"/accounts/{account.id}", told, secret=act == "people.renew_password")

    return await once(request, str(form.get("once", "")), work)


async def give_role(request: web.Request) -> web.Response:
    """Adds a role."""
    held = role_in(await request.post(), viewer_of(request))

    async def change(connection: AsyncConnection, account: Account) -> Told:
        await set_roles(connection, account.id, (*account.roles, held))
        return Told(gettext("The role was given."))

    return await _change(request, "people.give_role", change)


async def take_role(request: web.Request) -> web.Response:
    """Takes a role away; the last one stays, for an account without a unit would be nobody's."""
    held = role_in(await request.post(), viewer_of(request))

    async def change(connection: AsyncConnection, account: Account) -> Told:
        kept = tuple(one for one in account.roles if one != held)
        if not kept:
            raise Explained(N_("This is the person's last role. Close the account instead."))
        await set_roles(connection, account.id, kept)
        return Told(gettext("The role was taken away."))

    return await _change(request, "people.take_role", change)


async def renew_password(request: web.Request) -> web.Response:
    """Gives a new password, told once, and ends all sessions."""
    password = easy_password()
    hashed = await hash_password(password)

    async def change(connection: AsyncConnection, account: Account) -> Told:
        await set_password(connection, account.id, hashed)
        await close_sessions(connection, account.id)
        return _tell_password(account.login, password)

    return await _change(request, "people.renew_password", change)


async def close_account(request: web.Request) -> web.Response:
    """Closes the account: nobody can sign in with it, and what it did stays on the log."""

    async def change(connection: AsyncConnection, account: Account) -> Told:
        await set_active(connection, account.id, False)
        return Told(gettext("The account is closed."))

    return await _change(request, "people.close", change)


async def open_account(request: web.Request) -> web.Response:
    """Opens a closed account again."""

    async def change(connection: AsyncConnection, account: Account) -> Told:
        await set_active(connection, account.id, True)
        return Told(gettext("The account is open again."))

    return await _change(request, "people.open", change)
