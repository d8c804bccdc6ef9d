"""Breaks of what is relayed and spoken live, and of the proof that it sounded."""

from __future__ import annotations

from typing import Final

from simulators.world.mutants.mutant import Edit, Mutant

_GATE: Final = "edge/core/fm_gate.py"


def _one(name: str, file: str, old: str, new: str, *, days: float = 1.0) -> Mutant:
    return Mutant(name, (Edit(f"edge/core/{file}.py", old, new),), days)


GATE: Final = (
    _one(
        "FM opens on a weak signal",
        "fm_gate",
        "good = fm.good + 1 if event.rssi_dbuv >= floor else 0",
        "good = fm.good + 1",
        days=2.0,
    ),
    _one(
        "FM goes on when it fades",
        "fm_gate",
        "    if event.rssi_dbuv < config.rssi_floor_dbuv - HYSTERESIS_DB:\n        return WEAK\n",
        "",
        days=2.0,
    ),
    _one(
        "a sudden step of the signal is ignored",
        "fm_gate",
        "return STEP if abs(event.rssi_dbuv - fm.rssi_dbuv) > STEP_DB_MAX else None",
        "return None",
        days=3.0,
    ),
    Mutant(
        "a station that changes its name goes on",
        (
            Edit(_GATE, "if event.pi is not None and event.pi != (station.pi or fm.pi or event.pi):", "if False:"),
            Edit(_GATE, "if fm.opened is not None and station.pi not in (None, fm.pi):", "if False:"),
        ),
    ),
    Mutant(
        "FM opens for whoever tells a name",
        (
            Edit(_GATE, "if event.pi is not None and event.pi != (station.pi or fm.pi or event.pi):", "if False:"),
            Edit(_GATE, "if fm.opened is not None and station.pi not in (None, fm.pi):", "if False:"),
            Edit(_GATE, "(station.pi is None or pi == station.pi):", "(station.pi is None or pi is not None):"),
        ),
    ),
    _one(
        "a station that tells its name no more goes on",
        "fm_gate",
        "elif station.pi is not None and mono - fm.identified >= IDENTITY_AGE_MS_MAX:",
        "elif False:",
    ),
    _one(
        "FM has no cap",
        "fm_gate",
        "elif mono - since >= config_of(turn.state).fm_session_ms_max:",
        "elif False:",
        days=3.0,
    ),
    _one(
        "a silent tuner vouches for its station",
        "fm_gate",
        "if mono - fm.measured >= READING_AGE_MS_MAX:",
        "if False:",
        days=3.0,
    ),
    _one(
        "FM fallback outside its window",
        "fm_gate",
        "return config.fallback is Fallback.FM and in_any(config.fm_windows, now.wall)",
        "return True",
        days=3.0,
    ),
    _one(
        "a relay slot never ends",
        "relays",
        "if timeline.is_relay(occurrence) and now.wall < occurrence.end:",
        "if timeline.is_relay(occurrence):",
        days=2.0,
    ),
    _one(
        "a fallen web radio is never opened again",
        "relays",
        "return output is not None and state.sound.resting.get(output.key, now.mono) > now.mono",
        "return output is not None and output.key in state.sound.resting",
        days=3.0,
    ),
)

SPEECH: Final = (
    _one(
        "anybody's segments are played",
        "live",
        "if not verify(public_key(session.key), segment.signature, segment.signed_bytes()):",
        "if False:",
        days=3.0,
    ),
    _one(
        "old segments are played again", "live", "    if counter <= former.counter:\n        return\n", "", days=3.0
    ),
    Mutant(
        "a stalled session holds the horn",
        (
            Edit("edge/core/live.py", "return replace(live, flowing=False) if", "return live if"),
            Edit("edge/core/failing.py", "live.fall_silent(turn, output.session_id)", "pass"),
            Edit(
                "edge/core/proof.py",
                "turn.change(sound=replace(sound, output=Silence(),",
                "turn.change(sound=replace(sound,",
            ),
        ),
    ),
    _one(
        "a session returns at once",
        "live",
        "mono - live.returned >= RETURN_MS",
        "mono - live.returned >= 0",
        days=4.0,
    ),
    _one(
        "a session that stalled never returns",
        "live",
        "flowing = live.flowing or (rested and not live.ended)",
        "flowing = live.flowing or live.last == 0",
        days=3.0,
    ),
)

PROOF: Final = (
    _one(
        "what a switch ended is not logged",
        "proof",
        "    as_run.log(turn, output, event, reason=reason, lost_ms=lost_ms)\n",
        "    if not by_switch:\n        as_run.log(turn, output, event, reason=reason, lost_ms=lost_ms)\n",
        days=2.0,
    ),
    _one(
        "the log is written a minute late",
        "as_run",
        "            ended=event.wall,",
        "            ended=WallMs(event.wall + 90_000),",
    ),
    _one("the log names another rung", "as_run", "rung=int(output.rung),", "rung=6,", days=2.0),
    _one(
        "faults are never told",
        "health",
        "            turn.report(Fault(device, code, turn.now.wall, detail[:200]))\n",
        "            pass\n",
        days=3.0,
    ),
    _one("a lost card is no fault", "health", 'None if state.sound.card_present else "sound card"', "None", days=3.0),
    _one(
        "a full disk is no fault",
        "agent",
        "turn.change(storage_full_since=turn.now.mono, unsaved=turn.now.mono)",
        "pass",
        days=4.0,
    ),
    _one(
        "missing sound is no fault",
        "health",
        "SOUND_MISSING_MS: Final = 5000",
        "SOUND_MISSING_MS: Final = 10**9",
        days=4.0,
    ),
    _one("strange sound is not muted", "proof", "turn.do(MuteAmplifier(True))", "pass", days=4.0),
)

RADIO: Final = (*GATE, *SPEECH, *PROOF)
