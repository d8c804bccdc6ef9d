"""The guardian as the agent sees it: proofs of life, plans and commands over a serial line that may break.

The link is looked for as long as it is open, for ever. What is wished (amplifier, source) is part of every beat, so
after a reset of either side the guardian knows it again with the first one.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Self

from hardware.errors import CardLostError
from hardware.guardian import message, wire
from hardware.guardian.message import State
from hardware.guardian.plan import packed
from hardware.guardian_line import GuardianLine
from hardware.guardian_parts import GuardianAmplifier as GuardianAmplifier
from hardware.guardian_parts import GuardianTuner as GuardianTuner
from hardware.guardian_plan import guarded
from hardware.i18n import N_, Phrase
from hardware.interfaces import FmSignal, GuardianState, GuardPlan

HELLO_S: Final = 0.5
SILENT_S_MAX: Final = 3.0
ASK_S: Final = 1.0
"""The line is watched also while no beats are due: what proves that the computer lives comes from the agent alone."""
REOPEN_S: Final = 1.0
_ANSWER_S_MAX: Final = 0.5
_TUNE_S_MAX: Final = 3.0
_ARM_S_MAX: Final = 2.0
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class GuardianReset:
    """A start of the guardian.

    Attributes:
        number: how many starts there were up to this one.
        cause: `power`, `watchdog` or `soft`.
        wall_ms: when it first knew the hour after it, None if it never did.
    """

    number: int
    cause: str
    wall_ms: int | None


class GuardianLink:
    """Implements `hardware.interfaces.Guardian`; `async with` keeps the line.

    Args:
        port: name of the serial port, or a function that opens a descriptor.
        key: the pair's 32 bytes.
    """

    def __init__(self, port: str | Callable[[], int], key: bytes) -> None:
        assert len(key) == wire.KEY_BYTES, "the pair's key is 32 bytes long"
        self._port, self._key = port, key
        self._line: GuardianLine | None = None
        self._session: wire.Session | None = None
        self._nonce = b""
        self._opening: tuple[wire.Session, int] | None = None
        self._hello_s = 0.0
        self._asked_s = 0.0
        self._told: State | None = None
        self._told_s = 0.0
        self._wishes = 0
        self._waiting: dict[int, asyncio.Future[bytes]] = {}
        self._task: asyncio.Task[None] | None = None
        self._failed = False

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._keep(), name="guardian link")
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])

    # What is asked of it.

    async def beat(self, wall_ms: int | None) -> None:
        """See `hardware.interfaces.Guardian`; does not wait for the answer."""
        self._seal(message.BEAT, message.packed_beat(self._wishes, wall_ms))

    async def arm(self, plan: GuardPlan) -> None:
        """See `hardware.interfaces.Guardian`.

        Raises:
            CardLostError: it is not there, or it refuses the plan; the message says why.
        """
        await self._commanded(message.ARM, packed(guarded(plan)), within_s=_ARM_S_MAX)

    def state(self) -> GuardianState | None:
        """See `hardware.interfaces.Guardian`."""
        told = self._told
        if told is None or self._now() - self._told_s > SILENT_S_MAX:
            return None
        return GuardianState(
            message.SOURCES[told.source],
            told.plan_version,
            told.boots,
            message.CAUSES[told.cause],
            clock_refused=bool(told.flags & message.FLAG_CLOCK_REFUSED),
        )

    def details(self) -> State | None:
        """All it told last, for the self-test: flags, its own hour, the age of the last beat."""
        return self._told if self.state() is not None else None

    async def resets(self) -> tuple[GuardianReset, ...]:
        """Its last starts, oldest first. Raises CardLostError."""
        read = message.resets_of(await self._asked(message.ASK_RESETS, b"", within_s=_ANSWER_S_MAX))
        if read is None:
            raise CardLostError(N_("the guardian's list of resets cannot be read"))
        return tuple(GuardianReset(number, message.CAUSES[cause], wall or None) for number, cause, wall in read[1])

    async def want(self, *, amplifier: bool | None = None, fm: bool | None = None) -> None:
        """Sets what is wished from now on; returns when the guardian has done it.

        Raises:
            CardLostError: it is not there; it hears of the wish as soon as it is.
        """
        for bit, wanted in ((message.WISH_AMPLIFIER, amplifier), (message.WISH_FM, fm)):
            if wanted is not None:
                self._wishes = self._wishes | bit if wanted else self._wishes & ~bit
        await self._commanded(message.WISH, bytes([self._wishes]), within_s=_ANSWER_S_MAX)

    async def tune(self, frequency_khz: int) -> None:
        """Tunes the guardian's tuner. Raises CardLostError."""
        await self._commanded(message.TUNE, frequency_khz.to_bytes(4, "big"), within_s=_TUNE_S_MAX)

    async def signal(self) -> FmSignal:
        """The reading of the guardian's tuner. Raises CardLostError."""
        read = message.reading_of(await self._asked(message.MEASURE, b"", within_s=_ANSWER_S_MAX))
        if read is None:
            raise CardLostError(N_("the guardian's reading cannot be read"))
        _, result, khz, rssi_dbuv, pi = read
        _raise_refusal(result)
        return FmSignal(khz, rssi_dbuv, None if pi is None else f"{pi:04X}")

    async def _commanded(self, kind: int, body: bytes, *, within_s: float) -> None:
        state = message.state_of(await self._asked(kind, body, within_s=within_s))
        if state is None:
            raise CardLostError(N_("the guardian's answer cannot be read"))
        _raise_refusal(state.result)

    async def _asked(self, kind: int, body: bytes, *, within_s: float) -> bytes:
        """The body of the answer."""
        counter = self._seal(kind, body)
        answer: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        self._waiting[counter] = answer
        try:
            async with asyncio.timeout(within_s):
                return await answer
        except TimeoutError as error:
            raise CardLostError(
                N_("the guardian gave no answer within %(limit)s s"), limit=f"{within_s:g}"
            ) from error
        finally:
            self._waiting.pop(counter, None)

    def _seal(self, kind: int, body: bytes) -> int:
        if self._session is None or self._line is None:
            raise CardLostError(N_("the guardian is not there"))
        frame, counter = self._session.seal(kind, body)
        self._line.send(frame)
        return counter

    # The line.

    async def _keep(self) -> None:
        """Opens the line again and again."""
        while True:
            try:
                self._line = GuardianLine(self._port)
                try:
                    await self._serve(self._line)
                finally:
                    self._line.close()
                    self._line = None
                    self._drop()
            except (CardLostError, OSError) as error:
                _log.log(logging.DEBUG if self._failed else logging.WARNING, "no guardian: %s", error)
                self._failed = True
            await asyncio.sleep(REOPEN_S)

    async def _serve(self, line: GuardianLine) -> None:
        """Greets while there is no session, and takes what comes."""
        while True:
            if self._session is not None and self._now() - self._told_s > SILENT_S_MAX:
                _log.warning("the guardian has fallen silent")
                self._drop()
            elif self._session is not None and self._now() - self._asked_s >= ASK_S:
                self._asked_s = self._now()
                self._seal(message.ASK, b"")
            if self._session is None and self._now() - self._hello_s >= HELLO_S:
                self._greet(line)
            try:
                async with asyncio.timeout(HELLO_S / 2):
                    frame = await line.frame()
            except TimeoutError:
                continue
            self._take(line, frame)

    def _greet(self, line: GuardianLine) -> None:
        self._hello_s = self._now()
        self._nonce = os.urandom(wire.NONCE_BYTES)
        self._opening = None
        line.send(wire.greeting(message.HELLO, self._key, self._nonce))

    def _drop(self) -> None:
        self._session = None
        self._opening = None

    def _take(self, line: GuardianLine, frame: bytes) -> None:
        kind = frame[0]
        if kind == message.STRANGER and self._now() - self._hello_s >= HELLO_S:
            self._greet(line)
        elif kind == message.WELCOME:
            self._open(line, frame)
        else:
            self._understand(frame)

    def _open(self, line: GuardianLine, frame: bytes) -> None:
        """The guardian is who it should be, and this is its answer to our last hello."""
        nonces = wire.greeted(frame, message.WELCOME, self._key)
        if nonces is None or len(nonces) != 2 * wire.NONCE_BYTES or nonces[: wire.NONCE_BYTES] != self._nonce:
            return
        key = wire.session_key(self._key, nonces[: wire.NONCE_BYTES], nonces[wire.NONCE_BYTES :])
        session = wire.Session(key, guardian=False)
        opening, counter = session.seal(message.OPEN, nonces)
        self._opening = session, counter
        line.send(opening)

    def _understand(self, frame: bytes) -> None:
        for session in (self._session, self._opening[0] if self._opening else None):
            opened = None if session is None else session.opened(frame)
            if opened is not None and session is not None:
                self._heard(session, opened[0], opened[2])
                return

    def _heard(self, session: wire.Session, kind: int, body: bytes) -> None:
        if session is not self._session:
            self._session, self._opening = session, None
            self._failed = False
            self._waiting.clear()
            _log.info("the guardian is there")
        self._told_s = self._now()
        if kind == message.STATE:
            self._told = message.state_of(body) or self._told
        answer = self._waiting.get(int.from_bytes(body[:4], "big"))
        if answer is not None and not answer.done():
            answer.set_result(body)

    def _now(self) -> float:
        return asyncio.get_running_loop().time()


_REASONS: Final = (
    N_("an older plan than the one it holds"),
    N_("unreadable"),
    N_("it has no tuner"),
    N_("the tuner does not answer or cannot receive that"),
    N_("its flash could not be written"),
    N_("a command it does not know"),
)
"""For the catalogue: `message.RESULTS`, which runs on the guardian, too."""


def _raise_refusal(result: int) -> None:
    if result != message.DONE:
        reason = message.RESULTS[result] if result < len(message.RESULTS) else str(result)
        raise CardLostError(N_("the guardian refuses: %(why)s"), why=Phrase(reason))
