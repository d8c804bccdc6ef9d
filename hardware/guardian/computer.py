"""The conversation with the computer: greetings, the session, commands and their answers.

A session is asked for by a hello that changes nothing, and begins with the first frame under its key: only then is
the old one dropped and a new nonce drawn. So neither rubbish nor a recorded conversation can end or begin one.
"""

import hashlib

from hardware.guardian import message, wire
from hardware.guardian.message import State
from hardware.guardian.plan import packed, plan_of, sealed, too_far, unsealed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from hardware.guardian.flash import Flash
    from hardware.guardian.guard import Guard
    from hardware.guardian.radio import Radio
    from hardware.guardian.resets import Resets
    from hardware.guardian.rtc import Rtc

DIGESTS_PER_TURN = 6
"""A digest takes about a millisecond on the board, and in 10 ms the line brings no more than five signed frames."""
GREETINGS_PER_TURN = 1
"""Greetings can be forged by the hundred: they must not keep a beat from being read."""
HINT_MS = 1000
TUNE_MS_MAX = 2000
RTC_LOOK_MS = 10_000
KEY_FILE = "key"
PLAN_FILE = "plan"
_GREETINGS = (message.HELLO, message.OPEN, message.PAIR)


class Computer:
    """The computer as the guardian meets it.

    Args:
        send: puts bytes on the wire.
        fresh: random bytes for nonces; must never repeat themselves, not even after a reset.
        pairing: whether the pairing jumper is closed.

    Attributes:
        refused_frames: how many were thrown away.
    """

    def __init__(
        self,
        guard: "Guard",
        *,
        flash: "Flash",
        resets: "Resets",
        radio: "Radio",
        rtc: "Rtc",
        send: "Callable[[bytes], object]",
        fresh: "Callable[[], bytes]",
        pairing: "Callable[[], bool]",
    ) -> None:
        self._guard, self._flash, self._resets = guard, flash, resets
        self._radio, self._rtc = radio, rtc
        self._send, self._fresh, self._pairing = send, fresh, pairing
        self._reader = wire.FrameReader()
        self._session: wire.Session | None = None
        self._nonce = fresh()
        self._hinted_ms: int | None = None
        self._tuning: tuple[int, int, int] | None = None
        self._rtc_ms: int | None = None
        self._rtc_trusted = True
        self._plan_damaged = False
        self._dated = False
        self.refused_frames = 0
        key = flash.read(KEY_FILE)
        self._key = key if key is not None and len(key) == wire.KEY_BYTES else None
        self._remember_plan()

    def _remember_plan(self) -> None:
        """The stored plan holds again, if it is whole and ours."""
        data = self._flash.read(PLAN_FILE)
        if data is None:
            return
        stored = None if self._key is None else unsealed(data, self._key)
        if stored is None:
            self._flash.set_aside(PLAN_FILE)
            self._plan_damaged = True
        else:
            self._guard.arm(stored[0])
            self._guard.clock.floor_ms = stored[1]

    def receive(self, now_ms: int, data: bytes) -> None:
        """Takes what the UART had; bounded work, whatever it is."""
        digests = greetings = 0
        for frame in self._reader.feed(data) if data else ():
            greets = frame[0] in _GREETINGS
            if (greetings >= GREETINGS_PER_TURN) if greets else (digests >= DIGESTS_PER_TURN):
                self.refused_frames += 1
            elif greets:
                greetings += 1
                self._meet(now_ms, frame)
            else:
                digests += self._take(now_ms, frame)
        self._answer_tuning(now_ms)

    def _meet(self, now_ms: int, frame: bytes) -> None:
        """Handles a frame from outside a session."""
        kind, size = frame[0], len(frame) - wire.MAC_BYTES
        if kind == message.PAIR and size == 1 + wire.KEY_BYTES:
            self._pair(frame)
        elif kind == message.HELLO and size == 1 + wire.NONCE_BYTES:
            self._greet(frame)
        elif kind == message.OPEN and size == wire.HEADER_BYTES + 2 * wire.NONCE_BYTES:
            self._begin(now_ms, frame)

    def _take(self, now_ms: int, frame: bytes) -> int:
        """Handles a session's frame; gives how many digests it cost."""
        if self._session is None:
            self._hint(now_ms)
            return 0
        if not self._session.plausible(frame):
            self.refused_frames += 1
            return 0
        opened = self._session.opened(frame)
        if opened is None:
            self.refused_frames += 1
        else:
            self._obey(now_ms, opened[0], opened[1], opened[2])
        return 1

    # Greetings.

    def _pair(self, frame: bytes) -> None:
        key = frame[1 : 1 + wire.KEY_BYTES]
        if not self._pairing() or wire.greeted(frame, message.PAIR, key) is None:
            self.refused_frames += 1
            return
        if key != self._key:
            if not self._flash.write(KEY_FILE, key):
                return
            self._key = key
            self._session = None
            self._flash.remove(PLAN_FILE)
            self._guard.arm(None)
        self._guard.clock.forget()
        self._rtc_trusted = False
        self._send(wire.greeting(message.PAIRED, key, hashlib.sha256(key).digest()[:8]))

    def _greet(self, frame: bytes) -> None:
        if self._key is None:
            return
        nonce = wire.greeted(frame, message.HELLO, self._key)
        if nonce is None:
            self.refused_frames += 1
        else:
            self._send(wire.greeting(message.WELCOME, self._key, nonce + self._nonce))

    def _begin(self, now_ms: int, frame: bytes) -> None:
        """A session begins if the frame is sealed with the key that follows from our present nonce."""
        nonces = frame[wire.HEADER_BYTES : -wire.MAC_BYTES]
        theirs, ours = nonces[: wire.NONCE_BYTES], nonces[wire.NONCE_BYTES :]
        if self._key is None or ours != self._nonce:
            self.refused_frames += 1
            return
        session = wire.Session(wire.session_key(self._key, theirs, ours), guardian=True)
        opened = session.opened(frame)
        if opened is None:
            self.refused_frames += 1
            return
        self._session = session
        self._nonce = self._fresh()
        self._tuning = None
        self._answer(now_ms, opened[1])

    def _hint(self, now_ms: int) -> None:
        """Says, now and then, that a greeting is needed."""
        if self._hinted_ms is None or now_ms - self._hinted_ms >= HINT_MS:
            self._hinted_ms = now_ms
            self._send(wire.framed(bytes([message.STRANGER])))

    # Commands.

    def _obey(self, now_ms: int, kind: int, counter: int, body: bytes) -> None:
        result = message.DONE
        if kind == message.BEAT:
            result = self._beat(now_ms, body)
        elif kind == message.WISH and len(body) == 1:
            self._guard.wish(body[0])
        elif kind == message.ARM:
            result = self._arm(now_ms, body)
        elif kind == message.TUNE and len(body) == 4:
            self._tune(now_ms, counter, int.from_bytes(body, "big"))
            return
        elif kind == message.MEASURE:
            self._tell_reading(counter)
            return
        elif kind == message.ASK_RESETS:
            self._say(message.RESETS, message.packed_resets(counter, self._resets.told()))
            return
        elif kind != message.ASK:
            result = message.REFUSED_UNKNOWN
        # Decided before it is told, so the answer says what is true because of the command.
        self._guard.turn(now_ms)
        self._answer(now_ms, counter, result)

    def _beat(self, now_ms: int, body: bytes) -> int:
        beat = message.beat_of(body)
        if beat is None:
            return message.REFUSED_UNREADABLE
        wishes, wall_ms = beat
        chip_ms = None
        look = self._rtc_ms is None or now_ms - self._rtc_ms >= RTC_LOOK_MS
        if look and wall_ms is not None:
            self._rtc_ms = now_ms
            chip_ms = self._rtc.wall_ms() if self._rtc_trusted else None
        believed = self._guard.beat(now_ms, wishes, wall_ms, chip_ms)
        if believed and look and wall_ms is not None:
            self._rtc_trusted = True
            if chip_ms is None or abs(chip_ms - wall_ms) > 2000:
                self._rtc.set(wall_ms)
        if believed and not self._dated and wall_ms is not None:
            self._dated = True
            self._resets.dated(wall_ms)
        return message.DONE

    def _arm(self, now_ms: int, body: bytes) -> int:
        plan = plan_of(body)
        wall_ms = self._guard.clock.wall_ms(now_ms)
        if plan is None or too_far(plan, wall_ms):
            return message.REFUSED_UNREADABLE
        held = self._guard.plan
        if held is not None and held.version == plan.version and packed(held) == body:
            return message.DONE
        if held is not None and plan.version <= held.version:
            return message.REFUSED_OLDER
        floor_ms = max(wall_ms or 0, self._guard.clock.floor_ms)
        assert self._key is not None
        if not self._flash.write(PLAN_FILE, sealed(plan, self._key, floor_ms)):
            return message.FAILED_FLASH
        self._guard.clock.floor_ms = floor_ms
        self._guard.arm(plan)
        self._plan_damaged = False
        return message.DONE

    def _tune(self, now_ms: int, counter: int, frequency_khz: int) -> None:
        if self._tuning is not None:
            self._answer(now_ms, self._tuning[0], message.FAILED_TUNER)
        self._radio.forgive()
        self._guard.ask_for(frequency_khz)
        self._tuning = (counter, frequency_khz, now_ms + TUNE_MS_MAX)

    def _answer_tuning(self, now_ms: int) -> None:
        """Tells the end of a tuning, when it has come."""
        if self._tuning is None:
            return
        counter, frequency_khz, until_ms = self._tuning
        if self._radio.tuned_khz == frequency_khz:
            result = message.DONE
        elif self._radio.failed_khz == frequency_khz or now_ms >= until_ms:
            result = message.FAILED_TUNER if self._radio.present else message.REFUSED_NO_TUNER
        else:
            return
        self._tuning = None
        self._answer(now_ms, counter, result)

    # Answers.

    def _tell_reading(self, counter: int) -> None:
        radio = self._radio
        result = message.DONE if radio.tuned_khz else message.FAILED_TUNER
        if not radio.present:
            result = message.REFUSED_NO_TUNER
        reading = message.packed_reading(counter, result, radio.tuned_khz, radio.rssi_dbuv, radio.pi)
        self._say(message.READING, reading)

    def _answer(self, now_ms: int, counter: int, result: int = message.DONE) -> None:
        guard = self._guard
        wall_ms = guard.clock.wall_ms(now_ms)
        state = State(
            answers=counter,
            result=result,
            source=guard.source,
            flags=self._flags(wall_ms),
            plan_version=guard.plan_version,
            boots=self._resets.boots,
            cause=self._resets.cause,
            wall_ms=wall_ms or 0,
            age_ms=guard.silent_ms(now_ms),
        )
        self._say(message.STATE, state.packed())

    def _flags(self, wall_ms: int | None) -> int:
        flags = message.FLAG_CLOCK_REFUSED if self._guard.clock.refused else 0
        flags |= message.FLAG_HAS_TIME if wall_ms is not None else 0
        flags |= message.FLAG_HAS_TUNER if self._guard.has_tuner else 0
        flags |= message.FLAG_PLAN_DAMAGED if self._plan_damaged else 0
        return flags | (message.FLAG_AMPLIFIER if self._guard.amplifier else 0)

    def _say(self, kind: int, body: bytes) -> None:
        if self._session is not None:
            self._send(self._session.seal(kind, body)[0])
