"""Who may use which topics: a device writes its own reports and reads what its own units are sent."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from controller.broker.tls import PeerCertificate
from protocol.topics import ROOT, down_topics, stored_topic
from protocol.units import UnitPath


class Rights(Protocol):
    """What one connected client may do."""

    def may_publish(self, topic: str) -> bool: ...

    def may_subscribe(self, topic_filter: str) -> bool: ...


@dataclass(frozen=True, slots=True)
class DeviceRights:
    """A device at its place in the tree.

    Attributes:
        former: while it is moved, the place it comes from.
        readable: topics of both places and of each unit above them, and of its own reports; no wildcards.
    """

    device: str
    place: UnitPath
    former: UnitPath | None = None
    readable: frozenset[str] = field(init=False)

    def __post_init__(self) -> None:
        former = down_topics(self.former) if self.former is not None else ()
        readable = frozenset((*down_topics(self.place), *former, stored_topic(self.device)))
        object.__setattr__(self, "readable", readable)

    def may_publish(self, topic: str) -> bool:
        """Only its own reports."""
        return topic.startswith(f"{ROOT}/d/{self.device}/up/")

    def may_subscribe(self, topic_filter: str) -> bool:
        """Only what it is meant to hear."""
        return topic_filter in self.readable


@dataclass(frozen=True, slots=True)
class ControllerRights:
    """The controller's own connections."""

    def may_publish(self, topic: str) -> bool:
        """Everything of ours."""
        return topic.startswith(f"{ROOT}/")

    def may_subscribe(self, topic_filter: str) -> bool:
        """Everything of ours."""
        return topic_filter.startswith(f"{ROOT}/")


@dataclass(frozen=True, slots=True)
class Offer:
    """What a client says about itself when it connects.

    Attributes:
        certificate: what it proved in the TLS handshake to have the key of; None on a plain connection.
    """

    client: str
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    certificate: PeerCertificate | None = None


class Gate(Protocol):
    """Decides who may connect."""

    async def admit(self, offer: Offer) -> Rights | None:
        """The rights of whoever offers this, or None: refused."""
        ...

    async def renew(self, rights: Rights) -> Rights:
        """The rights of a client that is connected, as they are now: it may have been moved."""
        ...
