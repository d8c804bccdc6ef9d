"""Breaks of who is believed: signatures, grants, versions, replays, cancels, the clock, and what is remembered."""

from __future__ import annotations

from typing import Final

from simulators.world.mutants.mutant import Edit, Mutant

_REGISTERS: Final = "edge/core/registers.py"


def _one(name: str, file: str, old: str, new: str, *, days: float = 1.0) -> Mutant:
    path = file if "/" in file else f"edge/core/{file}"
    return Mutant(name, (Edit(f"{path}.py", old, new),), days)


AUTHORITY: Final = (
    _one(
        "signatures are not verified",
        "protocol/authority",
        "signers = check_signatures(envelope, grant.keys, grant.threshold)",
        "signers = frozenset(grant.keys)",
        days=3.0,
    ),
    _one(
        "one signature is enough", "protocol/grants", "if len(signed) < threshold:", "if len(signed) < 1:", days=4.0
    ),
    _one(
        "scopes are ignored",
        "protocol/authority",
        "if not covers(grant.scope, document.scope):",
        "if False:",
        days=4.0,
    ),
    _one("verbs are ignored", "protocol/authority", "if verb not in grant.verbs:", "if False:", days=4.0),
    _one(
        "a renewed grant's former keys still speak",
        "protocol/authority",
        "if not against.past and is_superseded(held, against.grants, against.wall):",
        "if False:",
        days=4.0,
    ),
    _one(
        "what a denial ended stays in force",
        "offices",
        "    remove(turn, key)\n    welcome_back",
        "    welcome_back",
        days=4.0,
    ),
    _one(
        "deny epochs are ignored",
        "offices",
        "    drop_fallen(turn)\n\n\ndef drop_fallen",
        "\n\ndef drop_fallen",
        days=4.0,
    ),
    _one(
        "a thief's version stays the highest",
        "acceptance",
        "    if signer not in state.trust.fallen:\n        return True\n",
        "    return True\n",
        days=4.0,
    ),
    _one(
        "it is not asked who is addressed",
        "trust",
        "return addresses(document.targets, identity.place)",
        "return True",
        days=2.0,
    ),
    _one(
        "a stick may speak at once",
        "trust",
        "if route is Route.USB and isinstance(authorised.document, Alert | LiveSession):",
        "if False:",
        days=3.0,
    ),
    _one(
        "what is dated ahead is obeyed",
        "trust",
        "if document.issued > turn.now.wall + CLOCK_SKEW_MS_MAX:",
        "if False:",
        days=3.0,
    ),
    _one(
        "what has ended is obeyed",
        "trust",
        "if expires is not None and expires <= turn.now.wall:",
        "if False:",
        days=3.0,
    ),
    _one("orphans are forgotten", "trust", "    for data, route in orphans:", "    for data, route in ():", days=2.0),
    _one(
        "what waits for a clock is forgotten",
        "trust",
        "    for data, route in waiting:",
        "    for data, route in ():",
    ),
    _one(
        "heads need no signature",
        "trust",
        "signers = check_signatures(envelope, turn.state.identity.anchor.freshness_keys, 1)",
        "signers = frozenset(turn.state.identity.anchor.freshness_keys)",
        days=4.0,
    ),
)

NUMBERS: Final = (
    _one(
        "the same version counts as newer",
        "acceptance",
        "if document.version <= newest:",
        "if document.version < newest:",
        days=3.0,
    ),
    _one(
        "an older version replaces a newer one", "acceptance", "if document.version <= newest:", "if False:", days=3.0
    ),
    _one(
        "numbers may be used twice",
        "acceptance",
        "if number in window.seen or number <= window.high - SEQUENCE_WINDOW:",
        "if False:",
        days=4.0,
    ),
    _one(
        "a cancel is ignored",
        "acceptance",
        "            remove(turn, key)\n            turn.receipt(held.digest",
        "            turn.receipt(held.digest",
        days=2.0,
    ),
    _one(
        "a cancel that came first is ignored",
        "acceptance",
        "if any(mark.alert_id == alert.id and covers(mark.scope, alert.scope) for mark in trust.cancelled):",
        "if False:",
        days=4.0,
    ),
    _one(
        "an old assignment brings a device back",
        "belonging",
        "if former is not None and word.issued <= former.issued:",
        "if False:",
        days=4.0,
    ),
    _one(
        "a moved device keeps what it was told before",
        "belonging",
        "left = [key for key, held in trust.documents.items() if not _concerns(held, place)]",
        "left: list[str] = []",
        days=3.0,
    ),
    Mutant(
        "alerts outlive their end",
        (
            Edit(
                "edge/core/arbiter.py",
                "is actual and one.document.expires > now.wall",
                "is actual and one.document.expires > now.wall - 60_000",
            ),
            Edit(
                "edge/core/trust.py",
                "held.document.expires <= turn.now.wall:",
                "held.document.expires <= turn.now.wall - 60_000:",
            ),
        ),
    ),
)

CLOCK: Final = (
    _one(
        "the hour is guessed",
        "clock_trust",
        "        return Now(now.mono, now.wall, ClockTrust.NONE)\n",
        "        return Now(now.mono, now.wall, ClockTrust.ATTESTED)\n",
        days=3.0,
    ),
    _one(
        "one source is enough",
        "clock_trust",
        "            return (lower + higher) // 2\n    return None",
        "            return (lower + higher) // 2\n    return offsets[0]",
        days=3.0,
    ),
    _one(
        "sources agree an hour apart",
        "clock_trust",
        "    for lower, higher in itertools.pairwise(offsets):\n        if higher - lower <= AGREEMENT_MS:",
        "    for lower, higher in itertools.pairwise(offsets):\n        if higher - lower <= 90 * AGREEMENT_MS:",
        days=3.0,
    ),
    _one("any nonce will do", "clock_trust", "if attestation.nonce != event.nonce:", "if False:", days=4.0),
    _one(
        "a slow answer is believed",
        "clock_trust",
        "if round_trip_ms > ATTESTATION_ROUND_TRIP_MS_MAX or",
        "if",
        days=4.0,
    ),
    _one(
        "there is no floor",
        "clock_trust",
        "    if wall < clock.floor - CLOCK_SKEW_MS_MAX:\n        trust = ClockTrust.NONE\n",
        "",
        days=4.0,
    ),
    _one("the floor is not stored", "registers", "floor=state.clock.floor,", "floor=WallMs(0),", days=4.0),
    _one(
        "the controller is never asked for the time", "clock_trust", "    turn.do(AskAttestation())\n", "", days=3.0
    ),
    _one("the sound path is not told the hour", "sound", "        turn.do(ShiftWall(shift_ms))\n", "", days=3.0),
)

MEMORY: Final = (
    Mutant(
        "cancels and used numbers are not stored",
        (
            Edit(
                _REGISTERS, "cancelled=trust.cancelled,\n            progress", "cancelled=(),\n            progress"
            ),
            Edit(_REGISTERS, "            obeyed=trust.obeyed,\n            fallen", "            fallen"),
            Edit(
                _REGISTERS,
                "for name, one in trust.sequences.items()),\n            cancelled=",
                "for name, one in ()),\n            cancelled=",
            ),
        ),
    ),
    _one("stops are not stored", "registers", "            stop=state.stop,\n", "", days=4.0),
    _one(
        "progress is not stored",
        "registers",
        "progress=tuple(ProgressMark(key, one) for key, one in state.progress.items()),",
        "progress=(),",
        days=3.0,
    ),
    _one(
        "versions are not stored",
        "registers",
        "versions=tuple(Number(name, value) for name, value in trust.versions.items()),",
        "versions=(),",
        days=4.0,
    ),
    Mutant(
        "a stop is not made durable",
        (
            Edit(
                "edge/core/agent.py",
                "        turn.change(stop=mark)\n        turn.dirty = True\n",
                "        turn.change(stop=mark)\n",
            ),
            Edit(
                "edge/core/guarding.py", "    turn.dirty = True\n    turn.do(ArmGuardian", "    turn.do(ArmGuardian"
            ),
        ),
    ),
    _one(
        "documents are not kept",
        "turn",
        "        self.put[key] = StoredDocument(key, envelope)\n        self.drop.discard(key)\n",
        "        self.drop.discard(key)\n",
    ),
    _one(
        "alerts are not restored",
        "restoration",
        "    turn.hold({**trust.documents, storage_key(authorised): accepted(authorised)})\n",
        '    if not hasattr(document, "parts"):\n'
        "        turn.hold({**trust.documents, storage_key(authorised): accepted(authorised)})\n",
        days=4.0,
    ),
    _one("grants are not restored", "restoration", "        hold_grant(turn, grant)\n", "        pass\n"),
    _one(
        "progress is forgotten at once",
        "plan",
        "if one.until > turn.now.wall}",
        "if one.until > turn.now.wall + 2 * 86_400_000}",
    ),
)

TRUST: Final = (*AUTHORITY, *NUMBERS, *CLOCK, *MEMORY)
