"""What the panel shows of the agent: its status as it tells the controller, its lamps, its signed messages."""

from __future__ import annotations

import dataclasses

from edge.core.state import AgentState
from edge.core.timeline import config_of
from protocol.limits import MESSAGES_MAX
from protocol.report import Status
from simulators.board import SimBoard
from simulators.face import Face


def told(known: Face, state: AgentState, status: Status, board: SimBoard, *, amplified: bool) -> Face:
    """The panel of a running agent, around what is known without it."""
    return dataclasses.replace(
        known,
        linked=state.link_up,
        rung=status.rung,
        sounding=status.sounding,
        level_cdb=status.level_cdb,
        amplifier=amplified,
        clock=status.clock,
        media_held=status.media_held,
        media_wanted=status.media_wanted,
        faults=tuple(str(one) for one in status.faults),
        lamps=board.sim_lamps.states,
        messages=_messages(state),
    )


def _messages(state: AgentState) -> tuple[str | None, ...]:
    signed = {one.number: one.title for one in config_of(state).messages}
    return tuple(signed.get(number) for number in range(1, MESSAGES_MAX + 1))
