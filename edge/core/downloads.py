"""Which programmes are wanted, fetched in the order of need, and which are no longer named by anything."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from edge.core.effects import DeleteMedia, FetchMedia
from edge.core.events import MediaFailed
from edge.core.state import AgentState
from edge.core.turn import Turn
from protocol.bulletin import MediaRef
from protocol.clock import WallMs
from protocol.limits import MEDIA_DURATION_MS_MAX
from protocol.report import Standing
from protocol.schedule import Item, Programme

FAR: Final = 2**53


def request(turn: Turn) -> None:
    """Asks for what is wanted, not stored and not already on its way: alerts first, then by the next start."""
    for media in turn.state.force.alert_media:
        if media.digest in turn.state.fetching and turn.once(f"urgent/{media.digest}"):
            turn.do(FetchMedia(media, urgent=True))
        _fetch(turn, media, urgent=True)
    for media in turn.state.force.message_media:
        _fetch(turn, media, urgent=False)
    if not turn.clock_believed:
        return
    missing = [one for one in _programmes(turn.state) if _is_missing(turn.state, one[1].media)]
    for _, content in sorted(missing, key=lambda pair: _next_start(pair[0], turn.now.wall)):
        _fetch(turn, content.media, urgent=False)


def _programmes(state: AgentState) -> Iterator[tuple[Item, Programme]]:
    for heard in state.force.items:
        if isinstance(heard.item.content, Programme):
            yield heard.item, heard.item.content


def _is_missing(state: AgentState, media: MediaRef) -> bool:
    return media.digest not in state.media and media.digest not in state.fetching


def _next_start(item: Item, wall: WallMs) -> int:
    begin = WallMs(wall - MEDIA_DURATION_MS_MAX)
    return next(item.when.between(begin, WallMs(wall + 9 * 86_400_000)), FAR)


def _fetch(turn: Turn, media: MediaRef, *, urgent: bool) -> None:
    if _is_missing(turn.state, media):
        turn.change(fetching=turn.state.fetching | {media.digest})
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
        _delete(turn, turn.state.media - turn.state.force.media)


def lost(turn: Turn, digest: str) -> None:
    """A stored programme was found damaged: it is fetched again."""
    turn.change(media=turn.state.media - {digest}, damaged_media=turn.state.damaged_media | {digest})


def tell_ready(turn: Turn) -> None:
    """A receipt for each item whose sound is here, or that needs none; marks of documents that are gone go too."""
    state = turn.state
    ready = {f"{one.held.digest}/{one.item.id}": one for one in state.force.items if _is_ready(state, one.item)}
    for mark, heard in ready.items():
        if mark not in state.told:
            turn.receipt(heard.held.digest, heard.held.kind, Standing.READY, item=heard.item.id)
    turn.change(told=frozenset(ready) | (state.told & _marks(state)))


def _marks(state: AgentState) -> frozenset[str]:
    return frozenset(f"{one.held.digest}/{one.item.id}" for one in state.force.items)


def _is_ready(state: AgentState, item: Item) -> bool:
    return not isinstance(item.content, Programme) or item.content.media.digest in state.media


def tidy(turn: Turn) -> None:
    """Deletes what no document names, once all that is named is here: old media stays until the new is complete.

    Downloads that nothing names any more are called off at once.
    """
    state, wanted = turn.state, turn.state.force.media
    if not turn.clock_believed or not state.force.schedules:
        return
    _delete(turn, state.fetching - wanted)
    if wanted <= state.media:
        _delete(turn, state.media - wanted)


def _delete(turn: Turn, digests: frozenset[str]) -> None:
    state = turn.state
    turn.change(
        media=state.media - digests,
        fetching=state.fetching - digests,
        damaged_media=state.damaged_media & state.force.media,
    )
    for digest in sorted(digests):
        turn.do(DeleteMedia(digest))
