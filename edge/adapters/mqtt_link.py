"""The MQTT connection: comes back for ever, notices a dead line within two keepalives, never makes the agent wait.

Plain MQTT 3.1.1: fixed client id, persistent session, QoS 1 but for what is retained or live, a retained will. The
retain flag of what comes means nothing: a retained document is believed, or not, like any other.
"""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Final

import aiomqtt

from edge.adapters.mqtt_session import Session, leaf_of
from edge.backoff import Backoff
from edge.core.events import EnvelopeReceived, Event, LinkChanged, LiveSegmentReceived, ParcelReceived, Route
from edge.ports import PortError
from protocol.topics import ALERT, DOC, LIVE, STORED, down_topics, online_topic, stored_topic
from protocol.units import UnitPath

_STABLE_S: Final = 60.0
_REFUSED: Final = 128
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Broker:
    """Where the broker is and how this device signs in.

    Attributes:
        token: the password; empty when the certificate of `tls` says who we are.
        keepalive_s: a line that died silently is noticed within twice this.
        timeout_s: longest wait for the broker's answer to anything.
        tls: how the connection is secured; None speaks plainly, for a broker on this machine.
    """

    host: str
    port: int
    device: str
    token: str = field(repr=False)
    keepalive_s: int = 30
    timeout_s: float = 20.0
    tls: ssl.SSLContext | None = None

    def session(self) -> Session:
        """A connection that is not open yet."""
        return Session(
            self.host,
            self.port,
            identifier=self.device,
            password=self.token,
            will=aiomqtt.Will(online_topic(self.device), b"0", qos=1, retain=True),
            keepalive_s=self.keepalive_s,
            timeout_s=self.timeout_s,
            tls=self.tls,
        )


class MqttLink:
    """Implements Link for one device at one place.

    Args:
        confirmed: told each word of the controller about reports that are stored, as it came.
    """

    def __init__(
        self,
        broker: Broker,
        place: UnitPath,
        *,
        backoff: Backoff | None = None,
        confirmed: Callable[[bytes], None] = lambda _: None,
    ) -> None:
        self._broker = broker
        self._confirmed = confirmed
        self._place = place
        self._left: set[str] = set()
        self._leaving: asyncio.Future[None] | None = None
        self._backoff = backoff or Backoff()
        self._session: Session | None = None

    async def events(self) -> AsyncIterator[Event]:
        """What the broker sends, and whether it is there."""
        told = False
        while True:
            session = self._broker.session()
            began_s = asyncio.get_running_loop().time()
            try:
                await self._connect(session)
                told = False
                yield LinkChanged(True)
                async for message in session.messages:
                    event = self._event_of(message)
                    if event is not None:
                        yield event
                    session.acknowledge(message)
            except (aiomqtt.MqttError, OSError, ValueError) as error:
                _log.log(logging.DEBUG if told else logging.WARNING, "no link to the broker: %s", error)
                told = True
            finally:
                was_up, self._session = self._session is not None, None
                session.abandon()
            if was_up:
                yield LinkChanged(False)
            await self._rest(began_s)

    def relocate(self, place: UnitPath) -> None:
        """Listens at another place: the session is opened anew with its topics and without the ones it left."""
        if place == self._place:
            return
        self._left = (self._left | {*down_topics(self._place)}) - {*down_topics(place)}
        self._place = place
        if self._session is not None:
            self._session.abandon()

    async def _connect(self, session: Session) -> None:
        await session.open()
        topics = (*down_topics(self._place), stored_topic(self._broker.device))
        granted = await session.subscribe([(topic, _quality(topic)) for topic in topics])
        if any(code == _REFUSED for code in granted):
            raise aiomqtt.MqttError("the broker refuses a subscription")
        await session.publish(online_topic(self._broker.device), b"1", qos=1, retain=True)
        self._session = session
        if self._left:
            # Beside all else: what still comes from there is refused anyway, and a broker may never answer.
            self._leaving = asyncio.ensure_future(self._leave(session, sorted(self._left)))

    async def _leave(self, session: Session, topics: list[str]) -> None:
        try:
            await session.unsubscribe(topics)
            self._left -= {*topics}
        except aiomqtt.MqttError as error:
            _log.debug("the topics of the former place are still subscribed: %s", error)

    async def _rest(self, began_s: float) -> None:
        if asyncio.get_running_loop().time() - began_s > _STABLE_S:
            self._backoff.reset()
        await asyncio.sleep(self._backoff.next_s())

    async def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> None:
        """Sends with QoS 1 and waits for the broker."""
        session = self._session
        if session is None:
            raise PortError("the link is down")
        sending = asyncio.ensure_future(session.publish(topic, payload, qos=1, retain=retain))
        try:
            await asyncio.wait({sending, session.lost}, return_when=asyncio.FIRST_COMPLETED)
            if not sending.done():
                raise PortError("the link went down")
            await sending
        except aiomqtt.MqttError as error:
            raise PortError(f"the broker did not take it: {error}") from error
        finally:
            sending.cancel()

    def _event_of(self, message: aiomqtt.Message) -> Event | None:
        leaf, data = leaf_of(message), message.payload
        if leaf == ALERT:
            return EnvelopeReceived(data, Route.ALERT)
        if leaf == DOC and data:
            return ParcelReceived(data, Route.DOC)
        if leaf == LIVE:
            return LiveSegmentReceived(data)
        if leaf == STORED:
            self._confirmed(data)
        else:
            _log.debug("nothing to do with a message on %s", message.topic)
        return None


def _quality(topic: str) -> int:
    """What a broker keeps for us while we are away (QoS 1), and what it only passes on (0).

    A parcel is retained, so the newest one comes with every connection. Kept, those of all the hours away came first:
    900 kB after a week, before the one that counts, and no room was left for an emergency. Live sound is never late.
    """
    return 0 if topic.endswith((f"/{DOC}", f"/{LIVE}")) else 1
