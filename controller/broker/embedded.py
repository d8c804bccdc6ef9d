"""The broker inside the controller: amqtt, with our rights and with what its version 0.12 leaves open closed.

Read in amqtt 0.12.1 and mended here, each by one override:

- a name is believed before the password was checked, so a stranger throws a device off: `_initialize_client_session`;
- a device that comes back before its half-open connection was noticed is marked as away while it is there: `_evict`;
- a connection that falls silent is never closed: `_Handler.handle_read_timeout`;
- an alert that was on its way when the connection broke is forgotten: `_deliver`;
- a client that connects is sent the retained messages of everybody: `_publish_retained_messages_for_subscription`;
- every message is compared with every filter and asks each plugin for each receiver: `_run_broadcast`;
- a packet may be as large as its sender likes: `_BoundedReader`.
"""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections import deque
from typing import Any, Final

from amqtt.adapters import ReaderAdapter, StreamReaderAdapter, StreamWriterAdapter, WriterAdapter
from amqtt.broker import RetainedApplicationMessage
from amqtt.contexts import Action, ListenerConfig
from amqtt.errors import AMQTTError, MQTTError
from amqtt.mqtt.connack import NOT_AUTHORIZED, ConnackPacket
from amqtt.mqtt.protocol.broker_handler import BrokerProtocolHandler
from amqtt.session import ApplicationMessage, Session

from controller.broker.listening import CONNECT_TIMEOUT_S, ListeningBroker
from controller.broker.rights import Gate, Offer, Rights
from controller.broker.tls import peer_certificate
from protocol.limits import PARCEL_BYTES_MAX
from protocol.topics import ALERT

logger = logging.getLogger(__name__)

WAITING_MAX: Final = 64
KEEP_ALIVE_S_MAX: Final = 600
_PACKET_OVERHEAD_BYTES: Final = 1024


class _BoundedReader(StreamReaderAdapter):
    """Reads no packet that could not be one of ours."""

    async def read(self, n: int = -1) -> bytes:
        if n > PARCEL_BYTES_MAX + _PACKET_OVERHEAD_BYTES:
            raise ValueError(f"a packet of {n} bytes")
        return await super().read(n)


class _Handler(BrokerProtocolHandler):
    """One connection."""

    def handle_read_timeout(self) -> None:
        """Nothing came for one and a half keep-alives: whoever was there is gone."""
        self.abort()

    def abort(self) -> None:
        """Ends the connection without waiting for a peer that may not answer."""
        if self.reader is not None:
            self.reader.feed_eof()
        if isinstance(self.writer, StreamWriterAdapter):
            self.writer._writer.transport.abort()


class EmbeddedBroker(ListeningBroker):
    """MQTT 3.1.1 for enrolled devices and the controller itself."""

    def __init__(self, *, host: str, port: int, gate: Gate, tls: ssl.SSLContext | None = None) -> None:
        super().__init__(host=host, port=port, tls=tls)
        self._gate = gate
        self._rights: dict[str, Rights] = {}
        self._subscribing: set[str] = set()
        for noisy in ("amqtt", "transitions"):
            logging.getLogger(noisy).setLevel(logging.CRITICAL)

    def expel(self, client: str) -> None:
        """Ends the connection of a client that may not be here any more."""
        self._rights.pop(client, None)
        _, handler = self._sessions.get(client, (None, None))
        if handler is not None:
            _abort(handler)

    async def shutdown(self) -> None:
        """Ends every connection, then closes the port."""
        for _, handler in self._sessions.values():
            _abort(handler)
        await super().shutdown()

    async def stream_connected(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, listener_name: str
    ) -> None:
        """A connection was made."""
        await self._client_connected(listener_name, _BoundedReader(reader), StreamWriterAdapter(writer))

    # Who is there.

    async def _initialize_client_session(
        self, reader: ReaderAdapter, writer: WriterAdapter, remote_address: str, remote_port: int
    ) -> tuple[BrokerProtocolHandler, Session]:
        try:
            made = _Handler.init_from_connect(reader, writer, self.plugins_manager)
            handler, offered = await asyncio.wait_for(made, CONNECT_TIMEOUT_S)
        except Exception as error:  # bytes from outside: whatever they are, they end this connection and no other
            await _hang_up(writer)
            raise MQTTError(f"no connect packet: {error!r}") from error
        client = offered.client_id or ""
        certificate = peer_certificate(writer.get_ssl_info())
        rights = await self._gate.admit(Offer(client, offered.username, offered.password, certificate))
        if rights is None:
            await _hang_up(writer, ConnackPacket.build(0, NOT_AUTHORIZED))
            raise MQTTError(f"{client[:64]} is refused")
        try:
            await self._evict(client)
        except MQTTError:
            await _hang_up(writer)  # else the newcomer would wait for an answer until its own time runs out
            raise
        self._rights[client] = rights
        return handler, await self._session_of(offered)

    async def _evict(self, client: str) -> None:
        """Ends a former connection of the same client and waits until its session knows."""
        session, handler = self._sessions.get(client, (None, None))
        if session is None or handler is None or session.transitions.state != "connected":
            return
        _abort(handler)
        await handler.handle_connection_closed()
        for _ in range(200):
            if session.transitions.state != "connected":
                return
            await asyncio.sleep(0.01)
        raise MQTTError(f"{client[:64]} does not let go of its former connection")

    async def _session_of(self, offered: Session) -> Session:
        offered.keep_alive = min(offered.keep_alive or KEEP_ALIVE_S_MAX, KEEP_ALIVE_S_MAX) * 3 // 2 + 1
        client = offered.client_id or ""
        if offered.clean_session:
            await self._delete_session(client)
        if client not in self._sessions:
            offered.parent = 0
            return offered
        session, _ = self._sessions[client]
        for name in ("will_flag", "will_message", "will_topic", "will_qos", "will_retain", "keep_alive", "username"):
            setattr(session, name, getattr(offered, name))
        session.parent = 1
        return session

    async def _authenticate(self, session: Session, _: ListenerConfig) -> bool:
        return session.client_id in self._rights

    async def _topic_filtering(self, session: Session, topic: str, action: Action) -> bool:
        rights = self._rights.get(session.client_id or "")
        if rights is None or action is Action.RECEIVE:
            return rights is not None
        if action is Action.PUBLISH:
            allowed = rights.may_publish(topic)
        else:
            allowed = rights.may_subscribe(topic) or await self._may_subscribe_now(session.client_id or "", topic)
        if not allowed:
            logger.warning("%s may not %s %s", session.client_id, action.value, topic[:200])
        return allowed

    async def _may_subscribe_now(self, client: str, topic: str) -> bool:
        """A device that was moved while it is connected listens at its new place at once."""
        self._rights[client] = await self._gate.renew(self._rights[client])
        return self._rights[client].may_subscribe(topic)

    # Who gets what.

    async def _run_broadcast(self, running_tasks: deque[asyncio.Task[Any]]) -> None:
        message = await self._broadcast_queue.get()
        topic, data = message["topic"], message["data"]
        for session, granted in self._receivers(topic):
            qos = message.get("qos", granted)
            handler = self._get_handler(session)
            if session.transitions.state == "connected" and handler is not None:
                delivery = self._deliver(session, handler, topic, data=data, qos=qos)
                running_tasks.append(asyncio.ensure_future(delivery))
            elif qos:
                self._keep(session, topic, data, qos=qos)

    def _receivers(self, topic: str) -> list[tuple[Session, int]]:
        found = list(self._subscriptions.get(topic, ()))
        for topic_filter, subscriptions in self._subscriptions.items():
            if topic_filter.endswith("#") or "+" in topic_filter:
                found += subscriptions if self._matches(topic, topic_filter) else ()
        return found

    async def _deliver(
        self,
        session: Session,
        handler: BrokerProtocolHandler,
        topic: str,
        *,
        data: bytes,
        qos: int,
        retain: bool = False,
    ) -> None:
        try:
            await handler.mqtt_publish(topic, data, qos, retain=retain)
        except asyncio.CancelledError:
            # The connection ended while we waited for the acknowledgement, or the whole broker ends.
            self._keep(session, topic, data, qos=qos)
            task = asyncio.current_task()
            if task is not None and task.cancelling():
                raise
        except TimeoutError:
            self._keep(session, topic, data, qos=qos)
            _abort(handler)
        except (AMQTTError, OSError):
            self._keep(session, topic, data, qos=qos)

    def _keep(self, session: Session, topic: str, data: bytes, *, qos: int) -> None:
        """Holds an alert for a client that is away. Parcels are retained anyway, and live sound is of the moment."""
        if session.clean_session or not qos or not topic.endswith(f"/{ALERT}"):
            return
        if session.retained_messages.qsize() >= WAITING_MAX:
            session.retained_messages.get_nowait()
        session.retained_messages.put_nowait(RetainedApplicationMessage(None, topic, data, qos))

    async def _publish_session_retained_messages(self, session: Session) -> None:
        handler = self._get_handler(session)
        while handler is not None and not session.retained_messages.empty():
            one = session.retained_messages.get_nowait()
            self._send(session, handler, one, qos=one.qos or 0)

    async def _handle_subscription(
        self, client_session: Session, handler: BrokerProtocolHandler, subscribe_waiter: asyncio.Future[Any]
    ) -> None:
        client = client_session.client_id or ""
        self._subscribing.add(client)
        try:
            await super()._handle_subscription(client_session, handler, subscribe_waiter)
        finally:
            self._subscribing.discard(client)

    async def _publish_retained_messages_for_subscription(
        self, subscription: tuple[str, int], session: Session
    ) -> None:
        handler = self._get_handler(session)
        if session.client_id not in self._subscribing or handler is None:
            return
        topic_filter, qos = subscription
        kept = self._retained_messages
        exact = kept.get(topic_filter)
        wild = "+" in topic_filter or topic_filter.endswith("#")
        found = [one for topic, one in kept.items() if self._matches(topic, topic_filter)] if wild else [exact]
        for one in found:
            if one is not None:
                self._send(session, handler, one, qos=qos)

    def _send(self, session: Session, handler: BrokerProtocolHandler, kept: ApplicationMessage, *, qos: int) -> None:
        sent = self._deliver(session, handler, kept.topic, data=bytes(kept.data), qos=qos, retain=True)
        self._tasks_queue.append(asyncio.ensure_future(sent))  # type: ignore[arg-type]


def _abort(handler: BrokerProtocolHandler) -> None:
    if isinstance(handler, _Handler):
        handler.abort()


async def _hang_up(writer: WriterAdapter, answer: ConnackPacket | None = None) -> None:
    """Ends a connection that came to nothing; whoever was there may be gone already."""
    try:
        if answer is not None:
            await answer.to_stream(writer)
        await writer.close()
    except OSError:
        pass
