"""MQTT as the agent's link sees it: the connection below `edge.adapters.mqtt_link`, which itself is the real one.

Stands for `edge/adapters/mqtt_session.py` with aiomqtt and paho below it: opening within 20 s or not at all, pings
that find a dead line within two keepalives, arrivals bounded and emergencies first (the real queue), an
acknowledgement only after the agent has decided. The pings themselves are left out: only what they find is worked
out, so an idle link costs nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from functools import partial
from typing import Any, Final

import aiomqtt

from edge.adapters.mqtt_link import MqttLink
from edge.adapters.mqtt_session import Arrivals
from protocol.topics import online_topic
from protocol.units import UnitPath
from simulators.world.broker import Broker, Connection, Message
from simulators.world.line import Line, Wire

KEEPALIVE_S: Final = 30.0
TIMEOUT_S: Final = 20.0
PORT: Final = "mqtt"


class WorldSession:
    """One connection of one device. Every method is that of `edge.adapters.mqtt_session.Session`."""

    def __init__(self, device: str, line: Line, broker: Broker, *, keepalive_s: float, timeout_s: float) -> None:
        self._device, self._line, self._broker = device, line, broker
        self._keepalive_s, self._timeout_s = keepalive_s, timeout_s
        self._loop = asyncio.get_running_loop()
        self._arrivals = Arrivals()
        self._came: asyncio.Future[None] | None = None
        self._answers: set[asyncio.Future[Any]] = set()
        self._wire: Wire | None = None
        self._far: Connection | None = None
        self._active_s = self._loop.time()
        self._unanswered: asyncio.TimerHandle | None = None
        self._unheard: asyncio.TimerHandle | None = None
        self._gone = False
        self.lost: asyncio.Future[None] = self._loop.create_future()

    # The device's end.

    async def open(self) -> None:
        """Connects. Raises aiomqtt.MqttError."""
        try:
            await self._line.reach(PORT, timeout_s=self._timeout_s)
        except (OSError, TimeoutError) as error:
            raise aiomqtt.MqttError(str(error)) from error
        if self._line.portal(PORT):
            raise aiomqtt.MqttError("the broker sent what no broker sends")
        self._wire = self._line.open(PORT, self._torn)
        self._line.watch(self._look)
        await self._ask(self._knock)
        self._look()

    async def subscribe(self, topics: Iterable[tuple[str, int]]) -> list[int]:
        """Gives the broker's codes."""
        wanted = tuple(topics)
        codes: list[int] = await self._ask(lambda: self._far.subscribe(wanted) if self._far else [])
        return codes

    async def unsubscribe(self, topics: Iterable[str]) -> None:
        """No longer listens to these."""
        await self._ask(lambda: self._far.unsubscribe(topics) if self._far else None)

    async def publish(self, topic: str, payload: bytes, *, qos: int, retain: bool = False) -> None:
        """Returns when the broker has acknowledged. Raises aiomqtt.MqttError."""
        message = Message(topic, payload, qos)
        await self._ask(partial(self._take, message, retain), size_bytes=len(payload) + len(topic))

    @property
    def messages(self) -> AsyncIterator[aiomqtt.Message]:
        """What has arrived; ends with an error when the connection has."""
        return self._messages()

    async def _messages(self) -> AsyncIterator[aiomqtt.Message]:
        while True:
            if not self._arrivals.empty():
                yield self._arrivals.get_nowait()
            elif self.lost.done():
                raise aiomqtt.MqttError("Disconnected during message iteration")
            else:
                self._came = self._loop.create_future()
                await self._came

    def acknowledge(self, message: aiomqtt.Message) -> None:
        """The agent has decided about it."""
        wire, far = self._wire, self._far
        if message.mid and wire is not None and far is not None:
            wire.send("up", partial(far.acknowledge, message.mid))

    def abandon(self) -> None:
        """Ends the connection without a farewell: the broker sends our will when it learns of it."""
        wire, far = self._wire, self._far
        self._end()
        if wire is not None and far is not None and far.open and not self._gone:
            if self._line.passes("up", port=PORT):
                self._loop.call_later(self._line.delay_ms / 1000, far.end)
            else:
                self._expect_silence(far)

    def vanish(self) -> None:
        """The power is gone: nobody says anything any more."""
        far, self._gone = self._far, True
        self._end()
        if far is not None and far.open:
            self._expect_silence(far)

    async def _ask(self, act: Callable[[], Any], *, size_bytes: int = 0) -> Any:
        """Lets the broker do something, and gives its answer."""
        wire = self._wire
        if wire is None or not wire.open:
            raise aiomqtt.MqttError("the connection has ended")
        answered: asyncio.Future[Any] = self._loop.create_future()
        self._answers.add(answered)
        self._active_s = self._loop.time()

        def arrive() -> None:
            outcome = act()
            wire.send("down", partial(_settle, answered, outcome))

        wire.send("up", arrive, size_bytes)
        timer = self._loop.call_later(self._timeout_s, _fail, answered, "Operation timed out")
        try:
            return await answered
        finally:
            timer.cancel()
            self._answers.discard(answered)

    def _arrive(self, number: int, message: Message) -> None:
        self._active_s = self._loop.time()
        came = aiomqtt.Message(message.topic, message.payload, message.qos, message.retained, number, properties=None)
        try:
            self._arrivals.put_nowait(came)
        except asyncio.QueueFull:
            return  # stays unacknowledged and comes again with the session
        self._wake()

    def _wake(self) -> None:
        if self._came is not None and not self._came.done():
            self._came.set_result(None)

    def _torn(self) -> None:
        """Both ends know that it is over."""
        far = self._far
        self._end()
        if far is not None:
            far.end()

    def _end(self) -> None:
        self._line.unwatch(self._look)
        if self._unanswered is not None:
            self._unanswered.cancel()
        if self._wire is not None:
            self._wire.close()
        if not self.lost.done():
            self.lost.set_result(None)
        for one in tuple(self._answers):
            _fail(one, "the connection has ended")
        self._wake()

    # The broker's end.

    def _knock(self) -> None:
        assert self._wire is not None, "somebody called"
        will = Message(online_topic(self._device), b"0")
        far = self._broker.connect(self._device, deliver=self._deliver, ended=self._hung_up, will=will)
        if far is None:
            self._wire.tear()
            return
        self._far = far
        # After the welcome, which is sent when this returns.
        self._loop.call_soon(far.resume)

    def _deliver(self, number: int, message: Message) -> None:
        if self._wire is not None:
            self._wire.send("down", partial(self._arrive, number, message), len(message.payload) + len(message.topic))

    def _take(self, message: Message, retain: bool) -> None:
        if self._far is None or not self._far.publish(message, retain=retain):
            assert self._wire is not None, "it came over a wire"
            self._wire.tear()

    def _hung_up(self) -> None:
        """The broker has ended it; its word reaches us if anything does."""
        if self._line.passes("down", port=PORT):
            self._loop.call_later(self._line.delay_ms / 1000, self._end)

    # Silence.

    def _look(self) -> None:
        """The line has changed: what would the pings find out, and when?"""
        heard = self._line.passes("down", port=PORT) and self._line.passes("up", port=PORT)
        phase_s = (self._loop.time() - self._active_s) % self._keepalive_s
        if heard and self._unanswered is not None:
            self._unanswered.cancel()
            self._unanswered = None
        elif not heard and self._unanswered is None:
            self._unanswered = self._loop.call_later(2 * self._keepalive_s - phase_s, self.abandon)
        far = self._far
        if far is not None and self._line.passes("up", port=PORT):
            if self._unheard is not None:
                self._unheard.cancel()
                self._unheard = None
        elif far is not None:
            self._expect_silence(far)

    def _expect_silence(self, far: Connection) -> None:
        """The broker hears nothing from now on, and ends it after one and a half keepalives."""
        if self._unheard is None:
            phase_s = (self._loop.time() - self._active_s) % self._keepalive_s
            self._unheard = self._loop.call_later(1.5 * self._keepalive_s - phase_s, partial(far.end, tell=True))


def _settle(answered: asyncio.Future[Any], outcome: Any) -> None:
    if not answered.done():
        answered.set_result(outcome)


def _fail(answered: asyncio.Future[Any], why: str) -> None:
    if not answered.done():
        answered.set_exception(aiomqtt.MqttError(why))


class Access:
    """Where the broker is: in the place of `edge.adapters.mqtt_link.Broker`.

    Attributes:
        last: the newest session.
    """

    def __init__(
        self,
        device: str,
        line: Line,
        broker: Broker,
        *,
        keepalive_s: float = KEEPALIVE_S,
        timeout_s: float = TIMEOUT_S,
    ) -> None:
        self.device, self._line, self._broker = device, line, broker
        self._keepalive_s, self._timeout_s = keepalive_s, timeout_s
        self.last: WorldSession | None = None

    def session(self) -> WorldSession:
        """A connection that is not open yet."""
        self.last = WorldSession(
            self.device, self._line, self._broker, keepalive_s=self._keepalive_s, timeout_s=self._timeout_s
        )
        return self.last


class WorldLink(MqttLink):
    """Implements `edge.ports.Link`: the real one, over a made-up connection."""

    def __init__(self, access: Access, place: UnitPath, **options: Any) -> None:
        super().__init__(access, place, **options)  # type: ignore[arg-type]  # offers what the link uses of `Broker`
        self._access = access

    def close(self) -> None:
        """The computer is gone; the broker notices when it hears nothing any more."""
        if self._access.last is not None:
            self._access.last.vanish()
