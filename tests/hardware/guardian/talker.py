"""The computer's side of the conversation byte by byte, for whoever wants to say what a driver never would."""

from __future__ import annotations

from collections.abc import Callable

from hardware.guardian import message, wire
from hardware.guardian.message import State
from hardware.guardian.plan import Plan, packed
from simulators.guardian_node import KEY


class Talker:
    """Says frames and reads answers.

    Args:
        exchange: puts bytes on the line, lets the other side live for a while, gives what it sent.
    """

    def __init__(self, exchange: Callable[[bytes], bytes], *, key: bytes = KEY) -> None:
        self._exchange, self._key = exchange, key
        self._reader = wire.FrameReader()
        self.session: wire.Session | None = None

    def raw(self, data: bytes) -> list[bytes]:
        """Frames that come back on some bytes."""
        return self._reader.feed(self._exchange(data))

    def greet(self, nonce: bytes = bytes(16)) -> State | None:
        """Begins a session."""
        welcomes = self.raw(wire.greeting(message.HELLO, self._key, nonce))
        for frame in welcomes:
            nonces = wire.greeted(frame, message.WELCOME, self._key)
            if nonces is not None:
                key = wire.session_key(self._key, nonces[:16], nonces[16:])
                self.session = wire.Session(key, guardian=False)
                return self.say(message.OPEN, nonces)
        return None

    def say(self, kind: int, body: bytes = b"") -> State | None:
        """A command; gives the state that is told in answer."""
        assert self.session is not None
        sealed, counter = self.session.seal(kind, body)
        for frame in self.raw(sealed):
            opened = self.session.opened(frame)
            if opened is not None and opened[0] == message.STATE:
                state = message.state_of(opened[2])
                if state is not None and state.answers == counter:
                    return state
        return None

    def beat(self, wall_ms: int | None = None, *, amplifier: bool = False) -> State | None:
        """A proof of life."""
        return self.say(message.BEAT, message.packed_beat(int(amplifier), wall_ms))

    def arm(self, plan: Plan) -> State | None:
        """A plan."""
        return self.say(message.ARM, packed(plan))
