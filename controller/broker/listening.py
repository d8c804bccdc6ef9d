"""Where the embedded broker listens: for devices over TLS with their certificates, for the controller itself inside.

amqtt 0.12's own TLS listener takes clients without a certificate and waits a minute for a handshake, so the sockets
are opened here.
"""

from __future__ import annotations

import asyncio
import ssl
from functools import partial
from typing import Final

from amqtt.broker import Broker
from amqtt.contexts import BrokerConfig, ListenerConfig, ListenerType
from amqtt.errors import BrokerError

CONNECT_TIMEOUT_S: Final = 10
_FAREWELL_S: Final = 1
_DEVICES: Final = "default"
_INSIDE: Final = "inside"


class ListeningBroker(Broker):
    """Its ports.

    Args:
        tls: for devices; the controller then has a plain way of its own on this machine.
    """

    def __init__(self, *, host: str, port: int, tls: ssl.SSLContext | None) -> None:
        listeners = {_DEVICES: ListenerConfig(bind=f"{host}:{port}")}
        if tls is not None:
            listeners[_INSIDE] = ListenerConfig(bind="127.0.0.1:0")
        super().__init__(BrokerConfig(listeners=listeners, plugins={}))
        self._tls, self._host = tls, host

    @property
    def port(self) -> int:
        """The port that was really taken."""
        return self._port_of(_DEVICES)

    @property
    def inside(self) -> tuple[str, int]:
        """Host and port for the controller itself."""
        return (self._host, self.port) if self._tls is None else ("127.0.0.1", self._port_of(_INSIDE))

    def _port_of(self, listener: str) -> int:
        instance = self._servers[listener].instance
        assert isinstance(instance, asyncio.Server)
        return int(instance.sockets[0].getsockname()[1])

    async def start(self) -> None:
        """Opens the ports.

        Raises:
            OSError: a port is taken.
        """
        try:
            await super().start()
        except BrokerError as error:
            if isinstance(error.__cause__, OSError):
                raise error.__cause__ from None
            raise

    async def _create_server_instance(
        self,
        listener_name: str,
        listener_type: ListenerType,
        address: str | None,
        port: int,
        ssl_context: ssl.SSLContext | None,
    ) -> asyncio.Server:
        tls = self._tls if listener_name == _DEVICES else None
        return await asyncio.start_server(
            partial(self.stream_connected, listener_name=listener_name),
            address,
            port,
            reuse_address=True,
            ssl=tls,
            ssl_handshake_timeout=CONNECT_TIMEOUT_S if tls is not None else None,
            ssl_shutdown_timeout=_FAREWELL_S if tls is not None else None,
        )
