"""The whole loop on CPython, byte by byte: greetings, pairing, replays, damage and rubbish."""

from __future__ import annotations

import hashlib
import random
from pathlib import Path

import pytest

from hardware.guardian import message, wire
from hardware.guardian.computer import PLAN_FILE
from hardware.guardian.control import Control
from hardware.guardian.flash import Flash
from hardware.guardian.plan import Plan
from simulators.guardian_node import KEY
from simulators.guardian_panel import SimPanel
from simulators.i2c_bus import SimI2cBus
from tests.hardware.guardian.talker import Talker

WALL = 1_800_000_000_000
HOUR = 3_600_000
OTHER_KEY = bytes(range(32))


class Desk:
    """A control loop on a table, with its flash in a folder."""

    def __init__(self, folder: Path) -> None:
        self.flash = Flash(str(folder))
        self.now = 0
        self.start()

    def start(self, *, by_watchdog: bool = False) -> None:
        """It gets power, or has been bitten."""
        self.panel = SimPanel()
        self.control = Control(
            self.panel, self.flash, bus=SimI2cBus(), chip=None, by_watchdog=by_watchdog, now_ms=self.now
        )

    def exchange(self, data: bytes, *, turns: int = 50) -> bytes:
        """Bytes from the computer, half a second, and what was sent in it."""
        self.panel.coming += data
        for _ in range(turns):
            self.now += 10
            self.control.turn(self.now)
        sent, self.panel.sent = self.panel.sent, b""
        return sent

    def talker(self) -> Talker:
        """A computer with the right key."""
        return Talker(self.exchange)


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    (tmp_path / "key").write_bytes(KEY)
    return Desk(tmp_path)


def living(desk: Desk) -> Talker:
    talker = desk.talker()
    assert talker.greet() is not None
    for _ in range(3):
        talker.beat(WALL + desk.now)
    assert desk.panel.sound
    return talker


def plan(version: int = 1) -> Plan:
    return Plan(version, [(WALL, WALL + HOUR)], [(99_900, None)])


def test_beat_is_answered_with_the_state(desk: Desk) -> None:
    talker = living(desk)
    state = talker.beat(WALL + desk.now, amplifier=True)
    assert state is not None
    assert (state.source, state.boots, state.cause) == (message.COMPUTER, 1, message.POWER)
    assert state.flags == message.FLAG_HAS_TIME | message.FLAG_AMPLIFIER
    assert desk.panel.amplifier


def test_stranger_with_another_key_gets_no_session(desk: Desk) -> None:
    talker = Talker(desk.exchange, key=OTHER_KEY)
    assert talker.greet() is None


def test_frame_without_a_session_is_answered_by_a_hint_now_and_then(desk: Desk) -> None:
    sealed, _ = wire.Session(b"x" * 32, guardian=False).seal(message.BEAT, message.packed_beat(0, None))
    frames = desk.talker().raw(sealed * 20)
    assert frames == [bytes([message.STRANGER])]


def test_recorded_greeting_does_not_end_a_session(desk: Desk) -> None:
    tape = b""
    said = desk.exchange

    def recording(data: bytes) -> bytes:
        nonlocal tape
        tape += data
        return said(data)

    talker = Talker(recording)
    talker.greet()
    talker.beat()
    desk.exchange(tape)
    assert talker.beat() is not None


def test_recorded_conversation_means_nothing_after_a_reset(desk: Desk) -> None:
    """The board's random bits are the same after each start here; the nonce is not."""
    tape: list[bytes] = []
    said = desk.exchange

    def recording(data: bytes) -> bytes:
        tape.append(data)
        return said(data)

    talker = Talker(recording)
    talker.greet()
    for _ in range(10):
        talker.beat(WALL)
    desk.start()
    for data in tape:
        desk.exchange(data)
        assert not desk.panel.sound


def test_new_session_replaces_the_old_and_keeps_the_relay(desk: Desk) -> None:
    old = living(desk)
    new = desk.talker()
    assert new.greet(bytes(range(16))) is not None
    assert desk.panel.sound
    assert old.beat() is None
    assert new.beat() is not None


def test_plan_outlasts_a_reset(desk: Desk) -> None:
    talker = living(desk)
    state = talker.arm(plan(4))
    assert state is not None and (state.result, state.plan_version) == (message.DONE, 4)
    desk.start(by_watchdog=True)
    state = desk.talker().greet()
    assert state is not None
    assert (state.plan_version, state.boots, state.cause) == (4, 2, message.WATCHDOG)


def test_older_plan_and_one_of_the_same_number_are_refused(desk: Desk) -> None:
    talker = living(desk)
    talker.arm(plan(4))
    for version in (3, 4):
        other = Plan(version, [(WALL, WALL + 2 * HOUR)], [])
        state = talker.arm(other)
        assert state is not None and state.result == message.REFUSED_OLDER
    again = talker.arm(plan(4))
    assert again is not None and again.result == message.DONE


def test_unreadable_commands_are_told_so(desk: Desk) -> None:
    talker = living(desk)
    for kind, body in ((message.ARM, b"rubbish"), (message.BEAT, b"short"), (message.ARM, b"")):
        state = talker.say(kind, body)
        assert state is not None and state.result == message.REFUSED_UNREADABLE
    for kind, body in ((0x33, b""), (message.TUNE, b"no"), (message.WISH, b"long")):
        state = talker.say(kind, body)
        assert state is not None and state.result == message.REFUSED_UNKNOWN


def test_tuning_without_a_tuner_is_refused(desk: Desk) -> None:
    talker = living(desk)
    assert talker.say(message.TUNE, (99_900).to_bytes(4, "big")) is None
    desk.exchange(b"", turns=200)
    state = talker.say(message.TUNE, (99_900).to_bytes(4, "big"))
    assert state is None or state.result == message.REFUSED_NO_TUNER


def test_damaged_plan_is_set_aside_and_told(desk: Desk, tmp_path: Path) -> None:
    living(desk).arm(plan(4))
    data = bytearray((tmp_path / PLAN_FILE).read_bytes())
    data[20] ^= 1
    (tmp_path / PLAN_FILE).write_bytes(bytes(data))
    desk.start()
    state = desk.talker().greet()
    assert state is not None
    assert state.plan_version == 0
    assert state.flags & message.FLAG_PLAN_DAMAGED
    assert (tmp_path / "plan.bad").exists()


def paired(key: bytes) -> bytes:
    return wire.greeting(message.PAIR, key, key)


def test_pairing_needs_the_jumper(desk: Desk, tmp_path: Path) -> None:
    assert desk.talker().raw(paired(OTHER_KEY)) == []
    assert (tmp_path / "key").read_bytes() == KEY


def test_pairing_with_the_jumper_takes_the_key(desk: Desk, tmp_path: Path) -> None:
    living(desk).arm(plan(4))
    desk.panel.jumper = True
    (answer,) = desk.talker().raw(paired(OTHER_KEY))
    assert wire.greeted(answer, message.PAIRED, OTHER_KEY) == hashlib.sha256(OTHER_KEY).digest()[:8]
    assert (tmp_path / "key").read_bytes() == OTHER_KEY
    assert desk.talker().greet() is None, "the old key is forgotten"
    state = Talker(desk.exchange, key=OTHER_KEY).greet()
    assert state is not None and state.plan_version == 0, "and what was armed with it"


def test_key_that_was_garbled_on_the_line_is_not_taken(desk: Desk, tmp_path: Path) -> None:
    desk.panel.jumper = True
    frame = bytearray(content(paired(OTHER_KEY)))
    frame[5] ^= 1
    assert desk.talker().raw(wire.framed(bytes(frame))) == []
    assert (tmp_path / "key").read_bytes() == KEY


def content(framed: bytes) -> bytes:
    (frame,) = wire.FrameReader().feed(framed)
    return frame


def test_board_without_a_key_stays_silent(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    assert desk.talker().greet() is None
    desk.exchange(b"", turns=1000)
    assert not desk.panel.sound and not desk.panel.amplifier


def test_random_bytes_do_nothing(desk: Desk) -> None:
    chance = random.Random(11)
    living(desk)
    last = desk.now
    while desk.now - last < 5000:
        desk.exchange(chance.randbytes(200) + b"\0" + bytes([chance.randrange(16)]) + chance.randbytes(60), turns=5)
    assert not desk.panel.sound
