"""Each act on a bulletin, inside the caller's transaction: the rule, the row, and the line in the log."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from dataclasses import dataclass, replace

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from controller.audit.log import note
from controller.bulletins.checks import find_problems, load_neighbourhood
from controller.bulletins.domain import (
    Act,
    Bulletin,
    BulletinError,
    OwnBulletinError,
    State,
    is_offered,
    narrowest,
    next_state,
)
from controller.bulletins.draft import Draft, DraftText, Surroundings, read_draft, text_of
from controller.bulletins.problem import Problem
from controller.bulletins.queries import (
    StaleRevisionError,
    insert_bulletin,
    load_bulletin,
    load_media,
    move,
    update_bulletin,
)
from controller.people.domain import Viewer
from controller.schedules.queries import Tree, load_tree
from controller.store.schema import audit
from protocol.clock import WallMs
from protocol.units import UnitPath, covers

REASON_CHARS_MAX = 500


class ProblemsError(BulletinError):
    """The bulletin cannot go on as it is."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__(", ".join(one.code.value for one in self.problems))


class MissingBulletinError(BulletinError):
    """There is none of this name for these eyes."""


class ReasonMissingError(BulletinError):
    """Whoever rejects says why, so that the author knows what to change."""


class ChangedError(BulletinError):
    """Someone else stored the bulletin since this page was loaded."""

    def __init__(self, stored: Bulletin) -> None:
        super().__init__(stored.id)
        self.stored = stored


@dataclass(frozen=True, slots=True)
class Desk:
    """One person at work on bulletins, now, in one transaction."""

    connection: AsyncConnection
    viewer: Viewer
    now: WallMs
    tree: Tree

    async def find(self, name: str) -> Bulletin:
        """The bulletin, when the viewer may see it."""
        bulletin = await load_bulletin(self.connection, name)
        if bulletin is None or not (self.viewer.sees(bulletin.unit) or self._is_above(bulletin)):
            raise MissingBulletinError(name)
        return bulletin

    def _is_above(self, bulletin: Bulletin) -> bool:
        """A commune sees the province's bulletins that its own loudspeakers will sound."""
        return bulletin.state in (State.APPROVED, State.IN_FORCE, State.ENDED) and any(
            covers(target, scope) or covers(scope, target)
            for target in bulletin.targets
            for scope in self.viewer.scopes()
        )

    async def try_read(self, text: DraftText, *, keeps: Bulletin | None = None) -> tuple[Draft, tuple[Problem, ...]]:
        """Reads a form as far as it goes, and tells what is wrong with it."""
        media = await load_media(self.connection, text.media_digest, self.viewer, keeps)
        return read_draft(text, Surroundings(self.now, self.viewer, self.tree.names, media))

    async def read(self, text: DraftText, *, keeps: Bulletin | None = None) -> Draft:
        """Reads a form. Raises ProblemsError."""
        draft, problems = await self.try_read(text, keeps=keeps)
        if problems:
            raise ProblemsError(problems)
        return draft

    async def create(self, text: DraftText) -> str:
        """Writes a new draft; gives its name."""
        draft = await self.read(text)
        name = f"b{secrets.token_hex(6)}"
        await insert_bulletin(self.connection, draft, name=name, author=self.viewer.account, now=self.now)
        await self._note("bulletin.create", draft.unit, name, draft.title)
        return name

    async def edit(self, name: str, text: DraftText, *, revision: int) -> Bulletin:
        """Writes an edit; an offer that is edited is placed.

        Raises:
            ChangedError: someone else was faster.
        """
        stored = await self.find(name)
        act = Act.PLACE if stored.state in (State.OFFERED, State.DECLINED) else Act.EDIT
        state = next_state(stored, act, self.viewer)
        if revision != stored.revision:
            raise ChangedError(stored)
        draft = await self.read(_own_part(stored, text), keeps=stored)
        author = self.viewer.account if act is Act.PLACE else stored.author_id
        await update_bulletin(
            self.connection, name, draft, revision=revision, state=state, author=author, now=self.now
        )
        await self._note(f"bulletin.{act}", stored.unit, name, draft.title)
        return await self.find(name)

    async def submit(self, name: str, *, go_on: bool = False) -> Bulletin:
        """Hands it to the approvers."""
        bulletin = await self.find(name)
        state = next_state(bulletin, Act.SUBMIT, self.viewer)
        await self._check(bulletin, states=(State.SUBMITTED, State.APPROVED), go_on=go_on)
        await self._move(bulletin, state, submitted_ms=self.now, reason=None)
        await self._note("bulletin.submit", bulletin.unit, name, bulletin.title)
        return await self.find(name)

    async def approve(self, name: str, *, go_on: bool = True) -> Bulletin:
        """Lets it into the next schedule, or offers it to the communes."""
        bulletin = await self.find(name)
        state = next_state(bulletin, Act.APPROVE, self.viewer)
        if self.viewer.account in await self._writers(bulletin):
            raise OwnBulletinError
        await self._check(bulletin, states=(State.APPROVED,), go_on=go_on)
        await self._move(bulletin, state, approved_ms=self.now, approved_by=self.viewer.account)
        if is_offered(bulletin, home=self.tree.is_home(bulletin.unit)):
            await self._offer(bulletin)
        await self._note("bulletin.approve", bulletin.unit, name, bulletin.title)
        return await self.find(name)

    async def reject(self, name: str, *, reason: str) -> Bulletin:
        """Gives it back to its author."""
        reason = reason.strip()[:REASON_CHARS_MAX]
        bulletin = await self.find(name)
        state = next_state(bulletin, Act.REJECT, self.viewer)
        if not reason:
            raise ReasonMissingError
        await self._move(bulletin, state, reason=reason)
        await self._note("bulletin.reject", bulletin.unit, name, reason)
        return await self.find(name)

    async def withdraw(self, name: str, *, reason: str = "") -> Bulletin:
        """Takes it out; what is in force falls silent with the next signature."""
        bulletin = await self.find(name)
        state = next_state(bulletin, Act.WITHDRAW, self.viewer)
        reason = reason.strip()[:REASON_CHARS_MAX]
        await self._move(bulletin, state, withdrawn_ms=self.now, reason=reason or None)
        await self._note("bulletin.withdraw", bulletin.unit, name, reason)
        return await self.find(name)

    async def decline(self, name: str, *, reason: str = "") -> Bulletin:
        """The commune does not place what was offered."""
        bulletin = await self.find(name)
        state = next_state(bulletin, Act.DECLINE, self.viewer)
        await self._move(bulletin, state, reason=reason.strip()[:REASON_CHARS_MAX] or None)
        await self._note("bulletin.decline", bulletin.unit, name, reason)
        return await self.find(name)

    async def _check(self, bulletin: Bulletin, *, states: tuple[State, ...], go_on: bool) -> None:
        around = await load_neighbourhood(
            self.connection, bulletin.targets, now=self.now, tree=self.tree, states=states
        )
        problems = find_problems(bulletin, around, self.now)
        if any(not one.passable for one in problems) or (problems and not go_on):
            raise ProblemsError(problems)

    async def _move(self, bulletin: Bulletin, state: State, **columns: object) -> None:
        try:
            await move(self.connection, bulletin, state, now=self.now, **columns)
        except StaleRevisionError as error:
            raise ChangedError(bulletin) from error

    async def _offer(self, bulletin: Bulletin) -> None:
        for home in self.tree.homes(bulletin.targets):
            inside = tuple(target for target in bulletin.targets if covers(home, target)) or (home,)
            draft = Draft(
                home,
                bulletin.title,
                bulletin.bulletin_class,
                bulletin.content,
                bulletin.timing,
                narrowest(inside),
                bulletin.catch_up,
            )
            await insert_bulletin(
                self.connection,
                draft,
                name=f"b{secrets.token_hex(6)}",
                author=bulletin.author_id,
                now=self.now,
                state=State.OFFERED,
                offered_from=bulletin.id,
            )

    async def _writers(self, bulletin: Bulletin) -> set[int]:
        """Everybody who wrote a part of it: an approver who improved a word has written, too."""
        query = select(audit.c.account_id).where(
            audit.c.subject == f"{bulletin.unit}#{bulletin.id}",
            audit.c.act.in_(["bulletin.create", "bulletin.edit", "bulletin.place"]),
        )
        return {one for one in await self.connection.scalars(query) if one is not None}

    async def _note(self, act: str, unit: UnitPath, name: str, detail: str) -> None:
        await note(
            self.connection,
            act,
            at=self.now,
            account=self.viewer.account,
            subject=f"{unit}#{name}",
            detail=detail,
        )


async def open_desk(connection: AsyncConnection, viewer: Viewer, now: WallMs) -> Desk:
    """A desk for one request."""
    return Desk(connection, viewer, now, await load_tree(connection, now))


def as_bulletin(draft: Draft, *, author: int, now: WallMs, name: str = "") -> Bulletin:
    """A draft that was not stored, seen as a bulletin."""
    return Bulletin(
        id=name,
        unit=draft.unit,
        title=draft.title,
        bulletin_class=draft.bulletin_class,
        content=draft.content,
        timing=draft.timing,
        targets=draft.targets,
        catch_up=draft.catch_up,
        state=State.DRAFT,
        revision=0,
        author_id=author,
        created=now,
        updated=now,
    )


def _own_part(stored: Bulletin, text: DraftText) -> DraftText:
    """A commune chooses when and where an offer sounds; its words stay those of the unit above."""
    if stored.offered_from is None:
        return text
    kept = text_of(stored)
    return replace(kept, timing=text.timing, targets=text.targets, catch_up=text.catch_up)
