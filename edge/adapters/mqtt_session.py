"""One MQTT connection: bounded arrivals in two lines, and an acknowledgement only after the agent has decided.

aiomqtt acknowledges what it merely received; then a power cut between arrival and `SaveState` would lose an emergency
that the broker believes delivered. So acknowledging is ours, and the broker keeps what was not decided.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import ssl
from collections import deque
from typing import Any, Final

import aiomqtt
from paho.mqtt.client import MQTT_ERR_PROTOCOL, MQTT_ERR_SUCCESS
from paho.mqtt.enums import MQTTErrorCode

from protocol.limits import (
    ALERT_ENVELOPE_BYTES_MAX,
    CONFIRMATION_BYTES_MAX,
    LIVE_SEGMENT_BYTES_MAX,
    PARCEL_BYTES_MAX,
)
from protocol.topics import ALERT, DOC, LIVE, STORED

BYTES_MAX: Final = {
    DOC: PARCEL_BYTES_MAX,
    ALERT: ALERT_ENVELOPE_BYTES_MAX,
    LIVE: LIVE_SEGMENT_BYTES_MAX,
    STORED: CONFIRMATION_BYTES_MAX,
}
_ALERTS_WAITING_MAX: Final = 256
_BULK_BYTES_WAITING_MAX: Final = 8 * 1024 * 1024
_PACKET_BYTES_MAX: Final = 4 * PARCEL_BYTES_MAX
_RECEIVE_BYTES_MAX: Final = 64 * 1024
_LOOKS_IN_KEEPALIVE: Final = 10
_LOOK_S_MIN: Final = 1.0
_log = logging.getLogger(__name__)


def leaf_of(message: aiomqtt.Message) -> str:
    """The last part of the topic: what kind of message it is."""
    return message.topic.value.rpartition("/")[2]


def bounded_payload(message: aiomqtt.Message) -> bytes:
    """The payload, cut off one byte above its limit: enough for the core to refuse it by name, and no more."""
    return message.payload[: BYTES_MAX.get(leaf_of(message), 0) + 1]


class Arrivals(asyncio.Queue[aiomqtt.Message]):
    """Emergencies before all else. What finds no room stays unacknowledged and comes again with the session."""

    def _init(self, maxsize: int) -> None:
        self._alerts: deque[aiomqtt.Message] = deque()
        self._others: deque[aiomqtt.Message] = deque()
        self._other_bytes = 0

    def _put(self, item: aiomqtt.Message) -> None:
        item.payload = bounded_payload(item)
        if leaf_of(item) == ALERT:
            self._alerts.append(item)
        else:
            self._others.append(item)
            self._other_bytes += len(item.payload)

    def _get(self) -> aiomqtt.Message:
        if self._alerts:
            return self._alerts.popleft()
        item = self._others.popleft()
        self._other_bytes -= len(item.payload)
        return item

    def qsize(self) -> int:
        return len(self._alerts) + len(self._others)

    def empty(self) -> bool:
        return not (self._alerts or self._others)

    def put_nowait(self, item: aiomqtt.Message) -> None:
        full = len(self._alerts) >= _ALERTS_WAITING_MAX
        if leaf_of(item) != ALERT:
            full = self._other_bytes >= _BULK_BYTES_WAITING_MAX
        if full:
            raise asyncio.QueueFull
        super().put_nowait(item)


class Session(aiomqtt.Client):
    """aiomqtt's client with its acknowledgements in our hand and an end that leaves nothing behind."""

    def __init__(
        self,
        hostname: str,
        port: int,
        *,
        identifier: str,
        password: str,
        will: aiomqtt.Will,
        keepalive_s: int,
        timeout_s: float,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        super().__init__(
            hostname,
            port,
            identifier=identifier,
            username=identifier,
            password=password or None,
            will=will,
            clean_session=False,
            keepalive=keepalive_s,
            timeout=timeout_s,
            queue_type=Arrivals,
            tls_context=tls,
        )
        self._look_s = max(_LOOK_S_MIN, keepalive_s / _LOOKS_IN_KEEPALIVE)
        self._client.manual_ack_set(True)
        self._read_on, self._receive = self._client.loop_read, self._client._sock_recv
        self._client.loop_read = self._read  # type: ignore[method-assign]
        self._client._sock_recv = self._receive_some  # type: ignore[method-assign]

    def _read(self, max_packets: int = 1) -> MQTTErrorCode:
        """A packet that paho fails on it would read again for ever; one without end, or QoS 2, it would pile up."""
        client = self._client
        try:
            code = self._read_on(max_packets)
        except Exception as error:
            _log.warning("the broker sent what no broker sends: %s", error)
            return client._loop_rc_handle(MQTT_ERR_PROTOCOL)
        if client._in_packet["remaining_length"] > _PACKET_BYTES_MAX or client._in_messages:
            _log.warning("the broker sent more than a broker sends")
            return client._loop_rc_handle(MQTT_ERR_PROTOCOL)
        return code

    def _receive_some(self, bufsize: int) -> bytes:
        """Room for all that a packet says it holds would be given before any of it has come."""
        return self._receive(min(bufsize, _RECEIVE_BYTES_MAX))

    async def _misc_loop(self) -> None:
        """aiomqtt looks every second whether to ask the broker for a sign of life, also when that is due in 30."""
        while self._client.loop_misc() == MQTT_ERR_SUCCESS:  # noqa: ASYNC110 nothing tells when a sign of life is due
            await asyncio.sleep(self._look_s)

    async def open(self) -> None:
        """Connects.

        Raises:
            aiomqtt.MqttError: it could not.
        """
        # Connecting runs in a thread that cannot be called off; whatever comes of it afterwards is closed at once,
        # or it would take the session away from the device's next start.
        connecting = asyncio.ensure_future(self.__aenter__())
        try:
            await asyncio.shield(connecting)
        except aiomqtt.MqttError:
            self.abandon()
            raise
        except asyncio.CancelledError:
            connecting.add_done_callback(self._connected_too_late)
            raise

    def _connected_too_late(self, connecting: asyncio.Task[Session]) -> None:
        if not connecting.cancelled():
            connecting.exception()
        self.abandon()

    def _on_disconnect(self, *told: Any) -> None:
        if self._connected.cancelled():
            return  # called off while the broker was slow: nobody waits, and aiomqtt would ask why of what has no why
        # A connection that breaks before the broker's welcome would otherwise be waited for until the time-out.
        if not self._connected.done():
            self._connected.set_exception(aiomqtt.MqttError("broke off before the broker answered"))
        super()._on_disconnect(*told)

    def acknowledge(self, message: aiomqtt.Message) -> None:
        """The agent has decided about it. On a lost connection it comes again, which is harmless."""
        if message.qos == 1:
            self._client.ack(message.mid, message.qos)

    @property
    def lost(self) -> asyncio.Future[None]:
        """Done when the connection has ended."""
        return self._disconnected

    def abandon(self) -> None:
        """Ends the connection without a farewell, so the broker sends our will: offline is true from now on."""
        self._hang_up()
        if self._misc_task is not None:
            self._misc_task.cancel()
        for outcome in (self._disconnected, self._connected):
            if outcome.done() and not outcome.cancelled():
                outcome.exception()

    def _hang_up(self) -> None:
        """paho lets go of the socket, and of the loop's watch on it, when it reads the connection's end."""
        sock = self._client.socket()
        if not isinstance(sock, socket.socket):
            return
        try:
            # Not the TLS socket's own way: it forgets the cipher first, and what still waits would be read as MQTT.
            socket.socket.shutdown(sock, socket.SHUT_RDWR)
        except OSError:
            pass
        while self._client.loop_read() == MQTT_ERR_SUCCESS:
            pass
