"""Everything that is told about a draft while it is being written; nothing is stored."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from controller.bulletins.acts import Desk, as_bulletin
from controller.bulletins.checks import find_problems, load_neighbourhood
from controller.bulletins.domain import Bulletin, State, is_offered, narrowest
from controller.bulletins.draft import Draft, DraftText, missing
from controller.bulletins.problem import Problem
from controller.schedules.preview import Preview, preview
from controller.schedules.queries import airing_of_bulletin
from controller.schedules.reach import Reach, reach

_PARTS: Final = {
    **dict.fromkeys(("stream_address", "frequency_khz", "relay_ms"), "media_digest"),
    **dict.fromkeys(("date", "time", "days", "first_date", "last_date", "except_dates"), "kind"),
}
"""Fields of the form, and the field under which the whole they belong to is missed."""


@dataclass(frozen=True, slots=True)
class Foresight:
    """What the composing person is told.

    Attributes:
        preview: None while sound, time or places are missing or wrong.
        offered: it would go to the communes' inboxes.
    """

    problems: tuple[Problem, ...]
    reach: Reach
    preview: Preview | None = None
    offered: bool = False


async def foresee(
    desk: Desk, text: DraftText, *, states: Iterable[State], keeps: Bulletin | None = None
) -> Foresight:
    """Reads the draft as far as it goes and looks ahead."""
    draft, wrong = await desk.try_read(text, keeps=keeps)
    bulletin = as_bulletin(draft, author=desk.viewer.account, now=desk.now, name=keeps.id if keeps else "")
    if wrong:
        lacking = _lacking(draft, wrong)
        targets = narrowest(tuple(one for one in draft.targets if one in desk.tree.names))
        return Foresight((*wrong, *lacking), reach(targets, desk.tree.devices, desk.tree.population))
    return await foresee_bulletin(desk, bulletin, states=states)


def _lacking(draft: Draft, wrong: Iterable[Problem]) -> tuple[Problem, ...]:
    """What is missing, but not what is there and only wrong: that has its own sentence."""
    told = {_PARTS.get(one.field, one.field) for one in wrong}
    return tuple(one for one in missing(draft) if one.field not in told)


async def foresee_bulletin(desk: Desk, bulletin: Bulletin, *, states: Iterable[State]) -> Foresight:
    """Looks ahead for values that were read."""
    around = await load_neighbourhood(desk.connection, bulletin.targets, now=desk.now, tree=desk.tree, states=states)
    problems = find_problems(bulletin, around, desk.now)
    airing = airing_of_bulletin(bulletin, desk.now)
    reached = reach(bulletin.targets, desk.tree.devices, desk.tree.population)
    offered = is_offered(bulletin, home=desk.tree.is_home(bulletin.unit))
    if airing is None:
        return Foresight(problems, reached, offered=offered)
    shown = preview(
        airing,
        [] if offered else [one.airing for one in around.planned if not one.withdrawn],
        now=desk.now,
        precedence=around.precedence,
        places=desk.tree.devices,
        population=desk.tree.population,
    )
    return Foresight(problems, reached, shown, offered)
