"""Behaviour, section 1: every rung "needs" its source; sections 2, 3, 5 and 8 say when it has none any more.

Nothing is audible without a verified source: a truly signed document in force that addresses this device and names
this sound, or a person at the device, or FM inside a signed window or slot. What loses its right falls silent at
once: cancelled, ended, withdrawn, stopped, or in quiet hours. The rule's name that is told says which it was.
"""

from __future__ import annotations

from typing import Final

from edge.core.events import MessagePressed, TalkPressed, TalkReleased
from edge.core.output import (
    AlertOutput,
    MessageOutput,
    MicrophoneOutput,
    Output,
    Rung,
    SlotOutput,
    StreamOutput,
)
from protocol.clock import DAY_MS, WallMs, local_second
from simulators.world.checkers.checker import Tell
from simulators.world.checkers.papers import Papers
from simulators.world.checkers.right import TAIL_MS, Right, Wrong
from simulators.world.checkers.truth import Box, Truth
from simulators.world.office import Signed
from simulators.world.trace import Record

AT_ONCE_MS: Final = 500
"""Section 1 says 200 ms for a switch; the rest is for an instant that falls between two looks of the core."""
_LOOK_MS: Final = 60_000
_PRESS_MS: Final = 15_000
"""A pressed message waits at most for the lead-in, or for a save that takes its time."""
_SLOW: Final = ("card slow", "card hangs")
_SLOW_MS: Final = 30_000
"""Some decisions wait for a slow card, each with writes of seconds, before the one that ends a web radio's slot."""
_SLOW_END_MS: Final = 10_000
"""A cancel or a stop is one decision, and stored before it is obeyed."""


class VerifiedSource:
    """Looks when a sound begins, when papers change, at the edges of windows, and once a minute."""

    def __init__(self, truth: Truth, papers: Papers, tell: Tell) -> None:
        self._truth, self._papers, self._tell = truth, papers, tell
        self._right = Right(truth.world.offices.signed)
        self._talking: dict[str, bool] = {}
        self._released: dict[str, WallMs] = {}
        self._pressed: dict[tuple[str, int], WallMs] = {}
        self._told: set[tuple[str, str]] = set()
        self._over_since: dict[tuple[str, str], WallMs] = {}
        truth.on("sound.began", self._began)
        truth.on("power.on", self._powered)
        truth.on(TalkPressed, self._talk)
        truth.on(TalkReleased, self._silent)
        truth.on(MessagePressed, self._message)
        papers.listeners.append(self._changed)

    def _powered(self, box: Box, _: Record) -> None:
        self._talking.pop(box.name, None)

    def _talk(self, box: Box, record: Record) -> None:
        self._talking[box.name] = record.thing.event.emergency
        self._look(box)

    def _silent(self, box: Box, record: Record) -> None:
        self._talking.pop(box.name, None)
        self._released[box.name] = record.at
        self._look(box)

    def _message(self, box: Box, record: Record) -> None:
        self._pressed[box.name, record.thing.event.number] = record.at

    def _changed(self, box: Box, _: Signed | None) -> None:
        if box.sounding:
            self._look(box)

    def _began(self, box: Box, record: Record) -> None:
        output, now = record.thing.output, record.at
        self._suspect(box, output, fresh=True)
        error_ms = box.error_ms(now) or 0
        for wall in self._edges(box, output, WallMs(now + error_ms)):
            self._truth.at(WallMs(wall - error_ms + 1), box, lambda: self._look(box))
        self._truth.at(WallMs(now + _LOOK_MS), box, lambda: self._again(box, output.key))

    def _again(self, box: Box, key: str) -> None:
        if key in box.sounding:
            self._look(box)
            self._truth.at(WallMs(self._truth.now + _LOOK_MS), box, lambda: self._again(box, key))

    def _edges(self, box: Box, output: Output, wall: WallMs) -> list[WallMs]:
        """When it will have no right any more, as far as that can be told ahead."""
        held, found = self._papers.held[box.name], []
        midnight = wall - local_second(wall) * 1000 - wall % 1000
        windows = (*held.rules.quiet_hours, *held.rules.fm_windows)
        seconds = [one.begin_s for one in windows] + [one.end_s for one in windows]
        found += [midnight + second * 1000 + day for second in seconds for day in (0, DAY_MS)]
        if isinstance(output, SlotOutput):
            end = getattr(output, "origin", output.start)
            media = getattr(output, "media", None)
            found += [end + media.duration_ms + TAIL_MS] if media is not None else []
        for digest in (getattr(output, "document", None), *getattr(output, "others", ())):
            signed = self._truth.world.offices.signed.get(digest) if digest is not None else None
            expires = getattr(signed.document, "expires", None) if signed is not None else None
            found += [expires] if expires is not None else []
        return [WallMs(one) for one in found if wall < one < wall + DAY_MS]

    def _look(self, box: Box) -> None:
        for output, _ in tuple(box.sounding.values()):
            self._suspect(box, output, fresh=False)

    def _suspect(self, box: Box, output: Output, *, fresh: bool) -> None:
        if self._wrong(box, output, fresh=fresh) is not None:
            wait_ms = AT_ONCE_MS + self._lead_in_ms(box)
            self._truth.at(WallMs(self._truth.now + wait_ms), box, lambda: self._judge(box, output, fresh=fresh))

    def _lead_in_ms(self, box: Box) -> int:
        return self._papers.held[box.name].lead_in_ms

    def _judge(self, box: Box, output: Output, *, fresh: bool) -> None:
        if output.key not in box.sounding:
            return
        if len(box.sounding) > 1 and not isinstance(output, AlertOutput):
            self._truth.at(WallMs(self._truth.now + AT_ONCE_MS), box, lambda: self._judge(box, output, fresh=fresh))
            return  # ducked under an attention tone (section 2): how long that may be, `start` judges
        wrong = self._wrong(box, output, fresh=fresh)
        if wrong is not None and (box.name, output.key) not in self._told:
            self._told.add((box.name, output.key))
            self._tell(box.name, wrong[0], wrong[1])

    def _wrong(self, box: Box, output: Output, *, fresh: bool) -> Wrong | None:
        if isinstance(output, MicrophoneOutput):
            emergency = self._talking.get(box.name)
            if emergency is None:
                return "verified_source", "the microphone, and nobody holds the button"
            if output.rung is Rung.EMERGENCY_MICROPHONE and not emergency:
                return "verified_source", "the emergency microphone without its key"
        if isinstance(output, MessageOutput) and fresh:
            pressed = self._pressed.get((box.name, output.number))
            if pressed is None or self._truth.now - pressed > _PRESS_MS:
                return "verified_source", f"message {output.number}, and nobody pressed its button"
        held, wall = self._papers.held[box.name], self._papers.wall(box)
        wrong = self._right.wrong_with(output, held, wall, fresh=fresh)
        return None if wrong is not None and not fresh and self._is_held_up(box, output, wrong) else wrong

    def _is_held_up(self, box: Box, output: Output, wrong: Wrong) -> bool:
        """Whether it may still sound after it lost its right: a slow card holds up the decision that ends it."""
        hindrances, now = box.device.hindrances, self._truth.now
        if not any(hindrances.had(one, now, within_ms=AT_ONCE_MS) for one in _SLOW):
            return False
        over = isinstance(output, StreamOutput) and wrong[1].endswith("goes on after its end")
        since = self._over_since.setdefault((box.name, output.key), now)
        return now - since < (_SLOW_MS if over else _SLOW_END_MS)

    def end(self) -> None:
        """See `Rule`."""
