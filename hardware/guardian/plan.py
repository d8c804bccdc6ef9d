"""The plan: in which windows FM may open while the computer is dead, and which stations, in order.

Its bytes travel inside a signed frame and lie in flash under a signature of their own. Everything about it is
bounded, and whatever cannot be read is no plan: without one there is silence.
"""

import struct

from hardware.guardian.wire import MAC_BYTES, mac, same

WINDOWS_MAX = 64
STATIONS_MAX = 8
SPAN_MS_MAX = 8 * 24 * 3600 * 1000
"""A plan reaches eight days from its first window to its last."""
WALL_MS_MAX = 1 << 48
SESSION_MS_MAX = 24 * 3600 * 1000
_SLACK_MS = 60_000
_SCHEMA = 1
_HEAD = ">QBIBB"
_WINDOW = ">QI"
_STATION = ">IBH"


class Plan:
    """What holds while the computer is dead.

    Attributes:
        version: grows with every plan.
        windows: begin and end in wall ms, the end excluded; sorted, none overlapping.
        stations: frequency in kHz, and the identity that must match or None; in order of preference.
        rssi_floor_dbuv: below it a station is too weak.
        session_ms_max: a station is not open for longer.
    """

    def __init__(
        self,
        version: int,
        windows: list[tuple[int, int]],
        stations: list[tuple[int, int | None]],
        *,
        rssi_floor_dbuv: int = 30,
        session_ms_max: int = 3_600_000,
    ) -> None:
        self.version = version
        self.windows = windows
        self.stations = stations
        self.rssi_floor_dbuv = rssi_floor_dbuv
        self.session_ms_max = session_ms_max

    def window_at(self, wall_ms: int) -> tuple[int, int] | None:
        """The window that holds at that time."""
        for window in self.windows:
            if window[0] <= wall_ms < window[1]:
                return window
        return None

    def next_begin(self, wall_ms: int) -> int | None:
        """When the next window begins."""
        for begin, _ in self.windows:
            if begin > wall_ms:
                return begin
        return None


def packed(plan: Plan) -> bytes:
    """The plan as bytes."""
    out = [
        struct.pack(
            _HEAD,
            plan.version,
            plan.rssi_floor_dbuv,
            plan.session_ms_max,
            len(plan.windows),
            len(plan.stations),
        )
    ]
    for begin, end in plan.windows:
        out.append(struct.pack(_WINDOW, begin, end - begin))
    for khz, pi in plan.stations:
        out.append(struct.pack(_STATION, khz, 0 if pi is None else 1, pi or 0))
    return b"".join(out)


def plan_of(data: bytes) -> Plan | None:
    """The plan in those bytes; None when they hold none that may be followed."""
    head = struct.calcsize(_HEAD)
    if len(data) < head:
        return None
    version, floor, session_ms, windows, stations = struct.unpack(_HEAD, data[:head])
    window_bytes, station_bytes = struct.calcsize(_WINDOW), struct.calcsize(_STATION)
    if windows > WINDOWS_MAX or stations > STATIONS_MAX:
        return None
    if len(data) != head + windows * window_bytes + stations * station_bytes:
        return None
    second = head + windows * window_bytes
    plan = Plan(
        version,
        [_window(data[at : at + window_bytes]) for at in range(head, second, window_bytes)],
        [_station(data[at : at + station_bytes]) for at in range(second, len(data), station_bytes)],
        rssi_floor_dbuv=floor,
        session_ms_max=session_ms,
    )
    return plan if _holds(plan) else None


def _window(data: bytes) -> tuple[int, int]:
    begin, length = struct.unpack(_WINDOW, data)
    return begin, begin + length


def _station(data: bytes) -> tuple[int, int | None]:
    khz, has_pi, pi = struct.unpack(_STATION, data)
    return khz, pi if has_pi else None


def _holds(plan: Plan) -> bool:
    """Whether it keeps its own bounds."""
    before = 0
    for begin, end in plan.windows:
        if begin < before or end <= begin or end > WALL_MS_MAX:
            return False
        before = end
    if plan.windows and plan.windows[-1][1] - plan.windows[0][0] > SPAN_MS_MAX:
        return False
    return plan.version > 0 and 0 < plan.session_ms_max <= SESSION_MS_MAX


def too_far(plan: Plan, wall_ms: int | None) -> bool:
    """Whether it reaches further than eight days from now, as far as the hour is known."""
    if wall_ms is None or not plan.windows:
        return False
    return plan.windows[-1][1] > wall_ms + SPAN_MS_MAX + _SLACK_MS


def sealed(plan: Plan, key: bytes, armed_ms: int) -> bytes:
    """The plan for the flash, with the time at which it was armed: no later time may lie before that."""
    data = struct.pack(">BQ", _SCHEMA, armed_ms) + packed(plan)
    return data + mac(key, b"loalang guardian plan 1" + data)


def unsealed(data: bytes, key: bytes) -> tuple[Plan, int] | None:
    """Plan and time of arming; None when the bytes are damaged, foreign or of another schema."""
    if len(data) < 9 + MAC_BYTES:
        return None
    signed, signature = data[:-MAC_BYTES], data[-MAC_BYTES:]
    if not same(mac(key, b"loalang guardian plan 1" + signed), signature):
        return None
    schema, armed_ms = struct.unpack(">BQ", signed[:9])
    plan = plan_of(signed[9:]) if schema == _SCHEMA else None
    return None if plan is None else (plan, armed_ms)
