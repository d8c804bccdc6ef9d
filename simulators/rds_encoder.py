"""The sending side of RDS, for tests and for the models of chips; runs under CPython and MicroPython.

Groups are four blocks as they stand before the check words. Source: IEC 62106 / EN 50067, clause 3.1.
"""

GROUP_MS = 87.6
"""104 bits at 1187.5 bit/s."""


def _block_b(kind: int, version_b: bool, low: int, pty: int = 0, tp: bool = False) -> int:
    return kind << 12 | int(version_b) << 11 | int(tp) << 10 | pty << 5 | low


def _codes(text: str, length: int) -> bytes:
    data = text.encode()
    return data[:length] + b" " * (length - len(data))


def _word(codes: bytes, at: int) -> int:
    return codes[at] << 8 | codes[at + 1]


def name_groups(
    pi: int, name: str, pty: int = 0, tp: bool = False, ta: bool = False, version_b: bool = False
) -> list[tuple[int, int, int, int]]:
    """Four groups 0A (or 0B) with an ASCII name of up to eight characters."""
    codes = _codes(name, 8)
    third = pi if version_b else 0xE0CD  # "no alternative frequencies" and a filler
    low = int(ta) << 4
    return [(pi, _block_b(0, version_b, low | at, pty, tp), third, _word(codes, 2 * at)) for at in range(4)]


def text_groups(pi: int, text: str, flag: int = 0, version_b: bool = False) -> list[tuple[int, int, int, int]]:
    """Groups 2A (up to 64 characters) or 2B (up to 32); a shorter ASCII text ends in a carriage return."""
    step = 2 if version_b else 4
    ended = text if len(text) >= 16 * step else text + "\r"
    count = min(16, -(-len(ended) // step))
    codes = _codes(ended, count * step)
    groups = []
    for at in range(count):
        third = pi if version_b else _word(codes, 4 * at)
        fourth = _word(codes, step * at + step - 2)
        groups.append((pi, _block_b(2, version_b, flag << 4 | at), third, fourth))
    return groups


def time_group(pi: int, utc_s: int, offset_min: int = 420) -> tuple[int, int, int, int]:
    """A group 4A: modified Julian day, hour and minute in UTC, offset of local time in half hours."""
    minutes = utc_s // 60
    day, hour, minute = minutes // 1440 + 40_587, minutes // 60 % 24, minutes % 60
    half_hours = abs(offset_min) // 30
    sign = 0x20 if offset_min < 0 else 0
    third = (day & 0x7FFF) << 1 | hour >> 4
    return (pi, _block_b(4, False, day >> 15), third, (hour & 0xF) << 12 | minute << 6 | sign | half_hours)


class Programme:
    """What a station sends: its name over and over, its text between, the time at every full minute.

    Args:
        wall_offset_ms: its wall clock minus the clock by which groups are numbered; None for a station without time.
        offset_min: of its local time.
    """

    def __init__(
        self,
        pi: int,
        name: str = "",
        text: str = "",
        wall_offset_ms: int | None = None,
        offset_min: int = 420,
        pty: int = 0,
    ) -> None:
        self._pi, self._wall_offset_ms, self._offset_min = pi, wall_offset_ms, offset_min
        self._cycle = name_groups(pi, name, pty)
        for group in text_groups(pi, text) if text else []:
            self._cycle.append(group)
            self._cycle.extend(name_groups(pi, name, pty)[:2])

    def group(self, number: int) -> tuple[int, int, int, int]:
        """The group that begins at number × GROUP_MS."""
        if self._wall_offset_ms is not None:
            begins_ms = number * GROUP_MS + self._wall_offset_ms
            minute = int(begins_ms + GROUP_MS) // 60_000
            if minute != int(begins_ms) // 60_000:
                return time_group(self._pi, minute * 60, self._offset_min)
        return self._cycle[number % len(self._cycle)]
