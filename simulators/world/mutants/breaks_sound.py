"""Breaks of what sounds and when: the ladder and the plan."""

from __future__ import annotations

from typing import Final

from simulators.world.mutants.mutant import Edit, Mutant


def _one(name: str, file: str, old: str, new: str, *, days: float = 1.0) -> Mutant:
    return Mutant(name, (Edit(f"edge/core/{file}.py", old, new),), days)


LADDER: Final = (
    _one(
        "priority programmes on the ordinary rung's place",
        "arbiter",
        """    Step(Rung.PRIORITY, _programme(Rung.PRIORITY), quiet_hours=True, needs_clock=True, stoppable=True),
    Step(Rung.ORDINARY, _live(Rung.ORDINARY), quiet_hours=True, needs_clock=True, stoppable=True),
    Step(Rung.ORDINARY, _programme(Rung.ORDINARY), quiet_hours=True, needs_clock=True, stoppable=True),
""",
        """    Step(Rung.ORDINARY, _live(Rung.ORDINARY), quiet_hours=True, needs_clock=True, stoppable=True),
    Step(Rung.ORDINARY, _programme(Rung.ORDINARY), quiet_hours=True, needs_clock=True, stoppable=True),
    Step(Rung.PRIORITY, _programme(Rung.PRIORITY), quiet_hours=True, needs_clock=True, stoppable=True),
""",
    ),
    _one(
        "an emergency waits for the microphone",
        "arbiter",
        """    Step(Rung.EMERGENCY, _alert, quiet_hours=False, needs_clock=True, stoppable=False),
    Step(Rung.MICROPHONE, _microphone, quiet_hours=False, needs_clock=False, stoppable=False),
""",
        """    Step(Rung.MICROPHONE, _microphone, quiet_hours=False, needs_clock=False, stoppable=False),
    Step(Rung.EMERGENCY, _alert, quiet_hours=False, needs_clock=True, stoppable=False),
""",
        days=2.0,
    ),
    _one("quiet hours are ignored", "arbiter", "(step.quiet_hours and quiet)", "(step.quiet_hours and False)"),
    _one(
        "a stop is ignored", "arbiter", "or (step.stoppable and stopped)", "or (step.stoppable and False)", days=2.0
    ),
    _one(
        "an emergency is bound by quiet hours",
        "arbiter",
        "Step(Rung.EMERGENCY, _alert, quiet_hours=False",
        "Step(Rung.EMERGENCY, _alert, quiet_hours=True",
        days=2.0,
    ),
    _one(
        "a stop silences emergencies",
        "arbiter",
        "Step(Rung.EMERGENCY, _alert, quiet_hours=False, needs_clock=True, stoppable=False)",
        "Step(Rung.EMERGENCY, _alert, quiet_hours=False, needs_clock=True, stoppable=True)",
        days=3.0,
    ),
    _one("drills are aired as actual", "arbiter", "(one.kind is Kind.ALERT) is actual", "actual in (True,)"),
    _one("the lesser alert goes first", "arbiter", "(-pair[1].severity,", "(pair[1].severity,", days=3.0),
    _one(
        "of two alerts one is lost",
        "arbiter",
        "others=tuple(other.digest for other, _ in held[1:])",
        "others=()",
        days=3.0,
    ),
    _one(
        "an emergency at the volume of the day",
        "arbiter",
        "        attenuation_cdb=config.emergency_attenuation_cdb,\n        rung=rung,",
        "        attenuation_cdb=config.ordinary_attenuation_cdb + 1,\n        rung=rung,",
    ),
    _one(
        "the microphone at night against the policy",
        "arbiter",
        "    if quiet and not config.microphone_in_quiet_hours:\n        return None\n    return MicrophoneOutput",
        "    return MicrophoneOutput",
        days=2.0,
    ),
    _one(
        "the emergency microphone without its key",
        "arbiter",
        "if state.talk is None or not state.talk.emergency:",
        "if state.talk is None:",
        days=2.0,
    ),
    _one(
        "a stuck talk button never ends",
        "agent",
        "turn.now.mono - talk.since >= timeline.config_of(turn.state).talk_ms_max",
        "turn.now.mono - talk.since >= 2**60",
        days=3.0,
    ),
    _one("the stop button does nothing", "agent", "turn.change(stop=mark)", "turn.change(stop=former)", days=2.0),
    _one(
        "the talk button is not let go of",
        "agent",
        "turn.change(talk=None, talk_stuck=False)",
        "turn.change(talk_stuck=False)",
        days=2.0,
    ),
    _one(
        "a switch waits a second",
        "sound",
        "        _tell(turn, output, turn.now.mono)\n    if turn.state.sound.muted",
        "        _tell(turn, output, MonoMs(turn.now.mono + 1200))\n    if turn.state.sound.muted",
    ),
    _one("starts are not prepared", "sound", "    _prepare(turn, current)\n\n\ndef conduct_un", "\n\ndef conduct_un"),
    _one(
        "programmes begin five seconds early",
        "sound",
        "    _tell(turn, output, at)\n    turn.change(sound=replace(turn.state.sound, planned=coming))",
        "    _tell(turn, output, MonoMs(at - 5000))\n"
        "    turn.change(sound=replace(turn.state.sound, planned=coming))",
    ),
    Mutant(
        "a broken source is never opened again",
        (
            Edit(
                "edge/core/sound.py",
                "failed[0] == output.key and turn.now.mono < failed[1]",
                "failed[0] == output.key",
            ),
            Edit(
                "edge/core/agent.py",
                "if failed is not None and turn.now.mono >= failed[1] + proof.RETRY_MS * 10:",
                "if False:",
            ),
        ),
        days=2.0,
    ),
)

PLAN: Final = (
    Mutant(
        "what was stopped goes on afterwards",
        (
            Edit("edge/core/timeline.py", "if progress.done or", "if"),
            Edit("edge/core/plan.py", "    if progress.done:\n        close(turn, [occurrence])\n", ""),
            Edit("edge/core/plan.py", "Plan(kept, begin, end, still)", "Plan(kept, begin, end, kept)"),
        ),
    ),
    _one(
        "what a power cut ended is played from the start",
        "timeline",
        "return progress.origin if progress.origin is not None else _turn_of(progress, wall)",
        "return progress.origin if progress.origin is not None and state.sound.started else wall",
        days=2.0,
    ),
    _one(
        "catch-up by skipping is forgotten",
        "restoration",
        "if occurrence.item.catch_up is CatchUp.SKIP:",
        "if False:",
        days=3.0,
    ),
    _one(
        "what began late is never joined",
        "timeline",
        "or occurrence.item.catch_up is CatchUp.RESUME:",
        "or False:",
        days=3.0,
    ),
    _one(
        "interrupted items never go on",
        "timeline",
        "REMAINING_MS_MIN: Final = 30_000",
        "REMAINING_MS_MIN: Final = 10**9",
        days=2.0,
    ),
    _one(
        "ordinary items of the province are obeyed",
        "in_force",
        "obeyed = own or item",
        "obeyed = True or item",
        days=2.0,
    ),
    _one(
        "targets of items are ignored",
        "in_force",
        "if obeyed and addresses(item.targets, place):",
        "if obeyed:",
        days=2.0,
    ),
    _one(
        "a schedule lives beyond its end",
        "in_force",
        "return min(schedule.expires, WallMs(max(schedule.issued, head_issued) + age_ms_max + 1))",
        "return WallMs(max(schedule.issued, head_issued) + age_ms_max + 1)",
        days=3.0,
    ),
    _one(
        "a schedule plays without a fresh head",
        "in_force",
        "return min(schedule.expires, WallMs(max(schedule.issued, head_issued) + age_ms_max + 1))",
        "return schedule.expires",
        days=3.0,
    ),
    _one(
        "the widest unit's rules count",
        "in_force",
        "key=lambda config: depth(config.scope)",
        "key=lambda config: -depth(config.scope)",
        days=2.0,
    ),
    _one(
        "media that a schedule names are deleted",
        "downloads",
        "_delete(turn, state.media - wanted)",
        "_delete(turn, state.media)",
    ),
    _one(
        "media that fell out of use stay",
        "downloads",
        "    if wanted <= state.media:\n        _delete(turn, state.media - wanted)\n",
        "",
        days=2.0,
    ),
    _one(
        "the plan ends before it is made anew",
        "plan",
        "AHEAD_MS: Final = 26 * 3_600_000",
        "AHEAD_MS: Final = 600_000",
    ),
    _one(
        "a waiting item never gets its turn",
        "timeline",
        "return wall if turn is None or wall - turn <= FRESH_MS else turn",
        "return None",
        days=3.0,
    ),
    _one(
        "windows are not looked at when they end",
        "deadlines",
        "    yield from _window_edges(timeline.config_of(state), now.wall)\n",
        "",
        days=2.0,
    ),
    _one(
        "nobody wakes for the next start",
        "deadlines",
        "        yield start - sound.HURRY_MS\n        yield start - relays.OPEN_AHEAD_MS\n"
        "        yield start - fm_gate.LISTEN_AHEAD_MS\n        yield start\n",
        "        pass\n",
    ),
)

SOUND: Final = (*LADDER, *PLAN)
