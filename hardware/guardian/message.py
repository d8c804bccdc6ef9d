"""What the frames between computer and guardian hold, for both ends. All numbers are big-endian."""

import struct

HELLO = 0x01
"""Computer: its nonce (16). Signed with the pair's key; changes nothing, may be replayed by anybody."""
OPEN = 0x02
"""Computer: both nonces (32), the first frame of a session."""
BEAT = 0x03
"""Computer: wishes (1), wall time in ms since 1970 or 0 (8)."""
WISH = 0x04
"""Computer: wishes (1), at once. No proof of life."""
TUNE = 0x05
"""Computer: frequency in kHz (4)."""
MEASURE = 0x06
"""Computer: asks for a READING."""
ARM = 0x07
"""Computer: a plan, as `plan.packed` makes it."""
ASK = 0x08
"""Computer: asks for a STATE."""
ASK_RESETS = 0x09
"""Computer: asks for RESETS."""
PAIR = 0x0A
"""Computer: the pair's key (32), signed with itself. Heeded only while the pairing jumper is closed."""

WELCOME = 0x81
"""Guardian: both nonces (32), signed with the pair's key."""
STATE = 0x82
"""Guardian: answers everything but MEASURE and ASK_RESETS."""
READING = 0x83
"""Guardian: the tuner's reading."""
RESETS = 0x84
"""Guardian: how it started, the last times."""
PAIRED = 0x85
"""Guardian: the first 8 bytes of the key's digest, signed with the new key."""
STRANGER = 0x86
"""Guardian, unsigned: it holds no session (any more). A hint to say hello; believing it costs nothing."""

WISH_AMPLIFIER = 0x01
WISH_FM = 0x02

SILENCE = 0
COMPUTER = 1
FM = 2
SOURCES = ("silence", "computer", "fm")

POWER = 0
WATCHDOG = 1
SOFT = 2
CAUSES = ("power", "watchdog", "soft")

DONE = 0
REFUSED_OLDER = 1
REFUSED_UNREADABLE = 2
REFUSED_NO_TUNER = 3
FAILED_TUNER = 4
FAILED_FLASH = 5
REFUSED_UNKNOWN = 6
RESULTS = (
    "done",
    "an older plan than the one it holds",
    "unreadable",
    "it has no tuner",
    "the tuner does not answer or cannot receive that",
    "its flash could not be written",
    "a command it does not know",
)

FLAG_CLOCK_REFUSED = 0x01
FLAG_HAS_TIME = 0x02
FLAG_HAS_TUNER = 0x04
FLAG_PLAN_DAMAGED = 0x08
FLAG_AMPLIFIER = 0x10

_STATE = ">IBBBQIBQH"
_READING = ">IBIBBH"
_RESET = ">IBQ"
RESETS_MAX = 32


class State:
    """How the guardian is.

    Attributes:
        answers: counter of the frame it answers.
        result: one of DONE ….
        source: one of SILENCE, COMPUTER, FM: what the relay lets through.
        flags: FLAG_….
        wall_ms: its own time, 0 while it has none.
        age_ms: since the last beat, at most 65,535.
    """

    def __init__(
        self,
        *,
        answers: int = 0,
        result: int = DONE,
        source: int = SILENCE,
        flags: int = 0,
        plan_version: int = 0,
        boots: int = 0,
        cause: int = POWER,
        wall_ms: int = 0,
        age_ms: int = 0,
    ) -> None:
        self.answers = answers
        self.result = result
        self.source = source
        self.flags = flags
        self.plan_version = plan_version
        self.boots = boots
        self.cause = cause
        self.wall_ms = wall_ms
        self.age_ms = age_ms

    def packed(self) -> bytes:
        """For the wire."""
        return struct.pack(
            _STATE,
            self.answers,
            self.result,
            self.source,
            self.flags,
            self.plan_version,
            self.boots,
            self.cause,
            self.wall_ms,
            min(self.age_ms, 0xFFFF),
        )


def state_of(body: bytes) -> State | None:
    """From the wire; None when it is none."""
    if len(body) != struct.calcsize(_STATE):
        return None
    answers, result, source, flags, version, boots, cause, wall_ms, age_ms = struct.unpack(_STATE, body)
    if result >= len(RESULTS) or source >= len(SOURCES) or cause >= len(CAUSES):
        return None
    return State(
        answers=answers,
        result=result,
        source=source,
        flags=flags,
        plan_version=version,
        boots=boots,
        cause=cause,
        wall_ms=wall_ms,
        age_ms=age_ms,
    )


def packed_reading(answers: int, result: int, frequency_khz: int, rssi_dbuv: int, pi: int | None) -> bytes:
    """A tuner's reading for the wire."""
    has_pi = 0 if pi is None else 1
    rssi_dbuv = max(0, min(255, rssi_dbuv))
    return struct.pack(_READING, answers, result, frequency_khz, rssi_dbuv, has_pi, pi or 0)


def reading_of(body: bytes) -> tuple[int, int, int, int, int | None] | None:
    """What it answers, result, kHz, dBµV and identity; None when it is none."""
    if len(body) != struct.calcsize(_READING):
        return None
    answers, result, khz, rssi, has_pi, pi = struct.unpack(_READING, body)
    return answers, result, khz, rssi, pi if has_pi else None


def packed_resets(answers: int, resets: list[tuple[int, int, int]]) -> bytes:
    """Resets (count, cause, wall time in ms or 0) for the wire, oldest first."""
    last = resets[-RESETS_MAX:]
    return struct.pack(">I", answers) + b"".join([struct.pack(_RESET, *one) for one in last])


def resets_of(body: bytes) -> tuple[int, list[tuple[int, int, int]]] | None:
    """What it answers, and the resets; None when it is none."""
    size = struct.calcsize(_RESET)
    if len(body) < 4 or (len(body) - 4) % size or len(body) > 4 + RESETS_MAX * size:
        return None
    places = range(4, len(body), size)
    resets = [struct.unpack(_RESET, body[at : at + size]) for at in places]
    if any(cause >= len(CAUSES) for _, cause, _ in resets):
        return None
    return struct.unpack(">I", body[:4])[0], resets


def packed_beat(wishes: int, wall_ms: int | None) -> bytes:
    """A beat for the wire."""
    return struct.pack(">BQ", wishes, wall_ms or 0)


def beat_of(body: bytes) -> tuple[int, int | None] | None:
    """Wishes and wall time; None when it is no beat."""
    if len(body) != 9:
        return None
    wishes, wall_ms = struct.unpack(">BQ", body)
    return wishes, wall_ms or None
