"""Sorts the bytes of plain MQTT and HTTP connections by what they are for, in both directions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from simulators.bad_line import Direction
from simulators.fault_proxy import Connection

_METHODS: Final = (b"GET ", b"POST ", b"HEAD ")
_PACKET_BYTES_MAX: Final = 16 * 1024 * 1024
_LENGTH_BYTES_MAX: Final = 4
_PUBLISH: Final = 3
_PACKETS: Final = {
    1: "mqtt_connect",
    2: "mqtt_connect",
    4: "mqtt_ack",
    8: "mqtt_connect",
    9: "mqtt_connect",
    12: "mqtt_ping",
    13: "mqtt_ping",
    14: "mqtt_connect",
}
_LEAVES: Final = {"doc": "mqtt_parcel", "alert": "mqtt_alert", "online": "mqtt_connect"}
_PATHS: Final = {"/device/v1/documents": "http_poll", "/device/v1/attest": "http_attest", "/media/": "http_media"}


@dataclass(slots=True)
class ByteClasses:
    """Observes proxies; `mqtt` and `http` are their observers.

    Attributes:
        count: bytes by class and direction.
    """

    count: Counter[tuple[str, Direction]] = field(default_factory=Counter)
    _held: dict[tuple[int, Direction], bytearray] = field(default_factory=dict)
    _asked: dict[int, str] = field(default_factory=dict)

    def mqtt(self, connection: Connection, direction: Direction, data: bytes) -> None:
        """See `simulators.fault_proxy.Observer`."""
        held = self._held.setdefault((id(connection), direction), bytearray())
        held += data
        for packet in _packets(held):
            self.count[_class_of(packet), direction] += len(packet)

    def http(self, connection: Connection, direction: Direction, data: bytes) -> None:
        """A connection answers one question after another, so what comes down belongs to the last one."""
        if direction is Direction.UP and data.startswith(_METHODS):
            path = data.split(b" ", 2)[1].decode(errors="replace")
            names = (name for start, name in _PATHS.items() if path.startswith(start))
            self._asked[id(connection)] = next(names, "http_other")
        self.count[self._asked.get(id(connection), "http_other"), direction] += len(data)

    def told(self) -> dict[str, int]:
        """`<class>_up_bytes` and `<class>_down_bytes`, in the order of their names."""
        return {f"{name}_{way.value}_bytes": size for (name, way), size in sorted(self.count.items(), key=str)}


def _packets(held: bytearray) -> Iterator[bytes]:
    """Takes whole packets out of what has come (MQTT 3.1.1, section 2.2).

    Raises:
        ValueError: no MQTT.
    """
    while len(held) >= 2:
        size, place = 0, 1
        while True:
            if place > _LENGTH_BYTES_MAX:
                raise ValueError("a packet's length has four bytes at most")
            if place >= len(held):
                return
            size |= (held[place] & 0x7F) << (7 * (place - 1))
            place += 1
            if not held[place - 1] & 0x80:
                break
        if size > _PACKET_BYTES_MAX:
            raise ValueError("a packet without end")
        if len(held) < place + size:
            return
        packet = bytes(held[: place + size])
        del held[: place + size]
        yield packet


def _class_of(packet: bytes) -> str:
    kind = packet[0] >> 4
    if kind != _PUBLISH:
        return _PACKETS.get(kind, "mqtt_other")
    place = next(at for at in range(1, len(packet)) if not packet[at] & 0x80) + 1
    length = int.from_bytes(packet[place : place + 2], "big")
    leaf = packet[place + 2 : place + 2 + length].decode(errors="replace").rpartition("/")[2]
    return _LEAVES.get(leaf, f"mqtt_{leaf}"[:32])
