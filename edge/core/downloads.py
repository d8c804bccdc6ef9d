"""Which programmes are wanted, fetched in the order of need, and which are no longer named by anything."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from edge.core.effects import DeleteMedia, FetchMedia
from edge.core.events import MediaFailed
from edge.core.state import Accepted, AgentState
from edge.core.timeline import schedules
from edge.core.turn import Turn
from protocol.alert import Alert
from protocol.bulletin import BulletinClass, MediaRef
from protocol.clock import WallMs
from protocol.limits import MEDIA_DURATION_MS_MAX
from protocol.report import Standing
from protocol.schedule import Item, Programme
from protocol.units import addresses, covers

FAR: Final = 2**53


def alert_media(state: AgentState) -> Iterator[MediaRef]:
    """Recordings of alerts in force: urgent."""
    for held in state.trust.documents.values():
        if isinstance(held.document, Alert):
            yield from (part.media for part in held.document.parts if part.media is not None)


def wanted_items(state: AgentState) -> Iterator[tuple[Accepted, Item, Programme]]:
    """Stored programmes that this device may play."""
    for held, schedule in schedules(state):
        own = covers(state.identity.home, schedule.scope)
        for item in schedule.items:
            heard_here = own or item.bulletin_class is BulletinClass.PRIORITY
            if heard_here and isinstance(item.content, Programme) and addresses(item.targets, state.identity.place):
                yield held, item, item.content


def wanted_media(state: AgentState) -> frozenset[str]:
    """Digests named by any document in force."""
    programmes = {content.media.digest for _, _, content in wanted_items(state)}
    return frozenset(programmes | {media.digest for media in alert_media(state)})


def request(turn: Turn) -> None:
    """Asks for what is wanted, not stored and not already on its way: alerts first, then by the next start."""
    for media in alert_media(turn.state):
        _fetch(turn, media, urgent=True)
    if not turn.clock_believed:
        return
    for _, _, content in sorted(wanted_items(turn.state), key=lambda entry: _next_start(entry[1], turn.now.wall)):
        _fetch(turn, content.media, urgent=False)


def _next_start(item: Item, wall: WallMs) -> int:
    begin = WallMs(wall - MEDIA_DURATION_MS_MAX)
    return next(item.when.between(begin, WallMs(wall + 9 * 86_400_000)), FAR)


def _fetch(turn: Turn, media: MediaRef, *, urgent: bool) -> None:
    state = turn.state
    if media.digest not in state.media and media.digest not in state.fetching:
        turn.change(fetching=state.fetching | {media.digest})
        turn.do(FetchMedia(media, urgent))


def stored(turn: Turn, digest: str) -> None:
    """A programme has come in whole."""
    state = turn.state
    turn.change(
        media=state.media | {digest},
        fetching=state.fetching - {digest},
        damaged_media=state.damaged_media - {digest},
    )


def failed(turn: Turn, event: MediaFailed) -> None:
    """A try ended without it; the adapter goes on trying by itself."""
    if event.damaged:
        turn.change(damaged_media=turn.state.damaged_media | {event.digest})
    if event.full:
        turn.change(storage_full_since=turn.now.mono)


def lost(turn: Turn, digest: str) -> None:
    """A stored programme was found damaged: it is fetched again."""
    turn.change(media=turn.state.media - {digest}, damaged_media=turn.state.damaged_media | {digest})


def tell_ready(turn: Turn) -> None:
    """A receipt for each item whose sound is here, or that needs none."""
    for held, item, content in wanted_items(turn.state):
        if content.media.digest in turn.state.media and turn.once(f"ready/{held.digest}/{item.id}"):
            turn.receipt(held.digest, held.kind, Standing.READY, item=item.id)
    for held, schedule in schedules(turn.state):
        for item in schedule.items:
            relay_here = not isinstance(item.content, Programme) and addresses(
                item.targets, turn.state.identity.place
            )
            if relay_here and turn.once(f"ready/{held.digest}/{item.id}"):
                turn.receipt(held.digest, held.kind, Standing.READY, item=item.id)


def tidy(turn: Turn) -> None:
    """Deletes what no document names, once all that is named is here: old media stays until the new is complete."""
    wanted = wanted_media(turn.state)
    if not turn.clock_believed or not schedules(turn.state) or not wanted <= turn.state.media:
        return
    for digest in sorted(turn.state.media - wanted):
        turn.change(media=turn.state.media - {digest})
        turn.do(DeleteMedia(digest))
