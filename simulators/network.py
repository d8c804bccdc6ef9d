"""A bad network between an agent and its controller: a small TCP proxy on loopback that misbehaves on command.

It stands in for a village's 4G router. One `Network` holds the proxies of one device, so broker and web server are
cut together and share the width of one line; each proxy forwards one port. What is wrong with the line is set on it
(`BadLine`); what is done to it at a moment are the acts below.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from simulators.bad_line import BOTH, BadLine, Direction
from simulators.fault_proxy import Connection, FaultProxy


@dataclass(slots=True)
class Network(BadLine):
    """One device's way to the world."""

    proxies: list[FaultProxy] = field(default_factory=list)

    async def open(self, host: str, port: int) -> int:
        """Starts a proxy for a server; its port on 127.0.0.1."""
        proxy = FaultProxy(self, host, port)
        self.proxies.append(proxy)
        return await proxy.start()

    def cut(self) -> None:
        """Breaks every connection and refuses new ones, as a line does whose loss is noticed."""
        self._refuse(True)
        self._break_connections()
        self.hold(frozenset())

    def half_open(self) -> None:
        """Keeps and accepts connections and lets nothing through: the far end is gone and nobody says so.

        To whoever connects anew it is a SIM out of credit: the operator's network answers, and then nothing comes.
        """
        self._refuse(False)
        self.hold(BOTH)

    def one_way(self, lost: Direction) -> None:
        """Lets nothing through in one direction."""
        self._refuse(False)
        self.hold(frozenset({lost}))

    def capture(self, portal_port: int) -> None:
        """Somebody's page stands before the network: what is open breaks, all that is new comes to the portal."""
        self._refuse(False)
        self.hold(frozenset())
        self._lead_to(portal_port)
        self._break_connections()

    def restore(self) -> None:
        """New connections work; what was held or captured is forgotten, as by a router that was away."""
        if self.held or any(proxy.detour is not None for proxy in self.proxies):
            self._break_connections()
        self._refuse(False)
        self._lead_to(None)
        self.hold(frozenset())

    def heal(self) -> None:
        """What was held goes on where it stood, as TCP does when the line comes back soon enough."""
        self.hold(frozenset())

    def improve(self) -> None:
        """The line is a perfect one again; what is open stays."""
        fresh = BadLine()
        self.latency_ms, self.jitter_ms, self.loss = fresh.latency_ms, fresh.jitter_ms, fresh.loss
        self.bytes_per_s, self.drip_s, self.reset_after_bytes = None, None, None

    def connections(self) -> list[Connection]:
        """Those of all proxies, past and present, in the order in which they were opened."""
        return sorted((one for proxy in self.proxies for one in proxy.connections), key=lambda one: one.opened_s)

    def through(self, direction: Direction) -> int:
        """Bytes that came through."""
        return sum(proxy.through(direction) for proxy in self.proxies)

    async def close(self) -> None:
        """Ends all proxies."""
        for proxy in self.proxies:
            await proxy.close()
        self.proxies.clear()

    def _refuse(self, refusing: bool) -> None:
        for proxy in self.proxies:
            proxy.refusing = refusing

    def _lead_to(self, port: int | None) -> None:
        for proxy in self.proxies:
            proxy.detour = port

    def _break_connections(self) -> None:
        for proxy in self.proxies:
            proxy.break_connections()
