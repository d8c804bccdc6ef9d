"""What a station says of itself by RDS: identity, name, kind of programme, text and time, from groups of four blocks.

Pure: groups in, knowledge out; no clock, no chip. The same file runs under CPython and under MicroPython, so it does
without dataclasses, enums and typing at run time. By hand: `python -m hardware.rds < groups.txt`.

Sources: IEC 62106 / EN 50067 (RDS), clauses 3.1 (coding of groups) and annexes E (characters), G (Julian day).
"""

CORRECTED_MAX = 1
"""Highest error level that is believed: up to two corrected bits. Level 2 (3 to 5) is wrong too often to be used."""
LOST = 3
"""Error level of a block that could not be corrected."""
_IDENTITIES_KEPT = 8
_IDENTITIES_ALIKE = 3
_DAY_1970 = 40_587
"""Modified Julian day of 1970-01-01."""
_DAY_MIN = 51_544
"""2000-01-01; who says less has no clock."""
_DAY_MAX = 88_127
"""2100-02-28, where the formulas of annex G end."""
_OFFSET_HALF_HOURS_MAX = 28
_LINE_CHARS_MAX = 200

# Table E.1 of annex E; what lies below a space steers a display and is shown as a space.
_ASCII_EXCEPTIONS = {0x24: "¤", 0x5E: "―", 0x60: "‖", 0x7E: "¯", 0x7F: " "}
_UPPER = (
    "áàéèíìóòúùÑÇŞß¡Ĳâäêëîïôöûüñçşǧıĳ"
    "ªα©‰Ǧěňőπ€£$←↑→↓º¹²³±İńűµ¿÷°¼½¾§"
    "ÁÀÉÈÍÌÓÒÚÙŘČŠŽÐĿÂÄÊËÎÏÔÖÛÜřčšžđŀ"
    "ÃÅÆŒŷÝÕØÞŊŔĆŚŹŦðãåæœŵýõøþŋŕćśźŧ "
)


def character(code: int) -> str:
    """One character of the basic set."""
    if code >= 0x80:
        return _UPPER[code - 0x80]
    if code < 0x20:
        return " "
    return _ASCII_EXCEPTIONS.get(code, chr(code))


class Group:
    """Four blocks of 16 bits, each with its error level: 0 none, 1 and 2 corrected, 3 lost.

    Attributes:
        blocks: A, B, C (or C'), D.
        errors: their levels.

    Raises:
        ValueError: not four blocks of 16 bits, not four levels.
    """

    def __init__(self, blocks: tuple[int, ...], errors: tuple[int, ...] = (0, 0, 0, 0)) -> None:
        if len(blocks) != 4 or not all(0 <= block <= 0xFFFF for block in blocks):
            raise ValueError("four blocks of 16 bits are a group")
        if len(errors) != 4 or not all(0 <= level <= LOST for level in errors):
            raise ValueError("four error levels from 0 to 3 are needed")
        self.blocks = tuple(blocks)
        self.errors = tuple(errors)

    def has(self, position: int, worst: int = CORRECTED_MAX) -> bool:
        """Whether the block at a position (0 to 3) came through no worse than that."""
        return self.errors[position] <= worst


def parse_group(line: str) -> Group:
    """A group in hexadecimal, as RDS Spy and redsea write it: `A201 0408 2020 4142`.

    `----` is a lost block. Error levels may follow, as `0013` or `0 0 1 3`; what follows an `@` is ignored.

    Raises:
        ValueError: the line is none; the message says why.
    """
    if len(line) > _LINE_CHARS_MAX:
        raise ValueError("longer than 200 characters")
    words = line.split("@")[0].split()
    if len(words) < 4:
        raise ValueError("four blocks are needed")
    errors = _levels("".join(words[4:])) if len(words) > 4 else [0, 0, 0, 0]
    blocks = []
    for position, word in enumerate(words[:4]):
        if word == "----":
            errors[position] = LOST
        blocks.append(0 if word == "----" else _block(word))
    return Group(tuple(blocks), tuple(errors))


def _block(word: str) -> int:
    if len(word) != 4 or not all(digit in "0123456789abcdefABCDEF" for digit in word):
        raise ValueError("a block is four hexadecimal digits or ----")
    return int(word, 16)


def _levels(word: str) -> list[int]:
    if len(word) != 4 or not all(digit in "0123" for digit in word):
        raise ValueError("error levels are four digits from 0 to 3")
    return [int(digit) for digit in word]


class ClockTime:
    """The time a station tells in group 4A, true at the edge of the minute at which the group ends (within 0.1 s).

    Attributes:
        utc_s: seconds since 1970, UTC.
        offset_min: what the station adds for local time: 420 in Viet Nam.
    """

    def __init__(self, utc_s: int, offset_min: int) -> None:
        self.utc_s = utc_s
        self.offset_min = offset_min


def clock_time(group: Group) -> ClockTime | None:
    """The time in a group 4A, or None. Corrected bits are not good enough for a clock: one of them is an hour.

    Day and hour are counted from the modified Julian day, so no calendar is needed.
    """
    _, b, c, d = group.blocks
    if b >> 11 != 0b01000 or not all(group.has(position, 0) for position in (1, 2, 3)):
        return None
    day = (b & 0x3) << 15 | c >> 1
    hour = (c & 1) << 4 | d >> 12
    minute = d >> 6 & 0x3F
    half_hours = d & 0x1F
    if not _DAY_MIN <= day <= _DAY_MAX or hour > 23 or minute > 59 or half_hours > _OFFSET_HALF_HOURS_MAX:
        return None
    sign = -1 if d & 0x20 else 1
    return ClockTime((day - _DAY_1970) * 86_400 + hour * 3600 + minute * 60, sign * half_hours * 30)


class _Text:
    """A text that comes in pieces, in any order, with errors: believed when every piece came clean or twice alike.

    Args:
        pieces: how many there are at most.
        ends: whether it may be shorter (radio text): a carriage return ends it, or it begins again, twice at the
            same place, without one.
    """

    def __init__(self, pieces: int, ends: bool) -> None:
        self._ends = ends
        self._codes = [b""] * pieces
        self._votes = [0] * pieces
        self._last = self._former_last = self._length = -1

    def put(self, position: int, codes: bytes, clean: bool) -> str | None:
        """Takes a piece; returns the text while it is whole."""
        if position >= len(self._codes):
            return None
        if self._votes[position] and self._codes[position] != codes:
            self.forget()
        if self._ends and position <= self._last:
            self._length = self._last + 1 if self._last == self._former_last else -1
            self._former_last = self._last
        self._last = position
        self._codes[position] = codes
        self._votes[position] += 2 if clean else 1
        return self._whole()

    def forget(self) -> None:
        """Another text begins."""
        self._votes = [0] * len(self._votes)
        self._last = self._former_last = self._length = -1

    def _whole(self) -> str | None:
        text = ""
        pieces = self._length if self._length > 0 else len(self._codes)
        for codes, votes in zip(self._codes[:pieces], self._votes):  # noqa: B905 MicroPython knows no `strict`
            if votes < 2:
                return None
            for code in codes:
                if self._ends and code == 0x0D:
                    return text.rstrip()
                text += character(code)
        return text.rstrip()


class Decoder:
    """What is known of one station. Make it anew, or `forget`, when the tuner goes elsewhere.

    Attributes:
        pi: identity as four hexadecimal digits, believed when three of the last eight agree and are most.
        ps: name, without the spaces at its end.
        pty: kind of programme, 0 to 31.
        tp, ta: traffic programme, traffic announcement now.
        rt: radio text.
        ct: the last time it told.
        groups: how many with a readable block B were taken.
    """

    def __init__(self) -> None:
        self.groups = 0
        self._identities: list[int] = []
        self.pi: str | None = None
        self.forget()

    def forget(self) -> None:
        """All that is known goes."""
        self._identities = []
        self.pi = None
        self._forget_programme()

    def _forget_programme(self) -> None:
        self.ps: str | None = None
        self.pty: int | None = None
        self.tp: bool | None = None
        self.ta: bool | None = None
        self.rt: str | None = None
        self.ct: ClockTime | None = None
        self._name = _Text(4, False)
        self._texts = (_Text(16, True), _Text(16, True))
        self._text_flag = -1

    def feed(self, group: Group) -> tuple[str, ...]:
        """Takes a group; returns the names of what it made known or changed (`ct`: every time it is told)."""
        before = (self.pi, self.ps, self.pty, self.tp, self.ta, self.rt)
        told = self.ct
        self._identify(group)
        if group.has(1):
            self._learn(group)
        after = (self.pi, self.ps, self.pty, self.tp, self.ta, self.rt)
        names = ("pi", "ps", "pty", "tp", "ta", "rt")
        changed = [names[at] for at in range(len(names)) if before[at] != after[at]]
        if self.ct is not None and self.ct is not told:
            changed.append("ct")
        return tuple(changed)

    def _learn(self, group: Group) -> None:
        self.groups += 1
        b = group.blocks[1]
        kind, version_b = b >> 12, bool(b & 0x0800)
        self.tp, self.pty = bool(b & 0x0400), b >> 5 & 0x1F
        if kind == 0 or (kind == 15 and version_b):
            self.ta = bool(b & 0x0010)
        if kind == 0:
            self._take_name(group)
        elif kind == 2:
            self._take_text(group, version_b)
        elif kind == 4 and not version_b:
            self.ct = clock_time(group) or self.ct

    def _identify(self, group: Group) -> None:
        """Block A has the identity, block C' of version B repeats it; B itself says which version this is."""
        found = [group.blocks[0]] if group.has(0) else []
        if group.has(1) and group.blocks[1] & 0x0800 and group.has(2):
            found.append(group.blocks[2])
        found = [one for one in found if one]  # 0 is nobody's: some encoders leave it in C'
        if not found:
            return
        self._identities = (self._identities + found)[-_IDENTITIES_KEPT:]
        leader = max(self._identities, key=self._identities.count)
        votes = self._identities.count(leader)
        if votes < _IDENTITIES_ALIKE or votes * 2 <= len(self._identities):
            return
        pi = f"{leader:04X}"
        if pi != self.pi:
            if self.pi is not None:
                self._forget_programme()
            self.pi = pi

    def _take_name(self, group: Group) -> None:
        if not group.has(3):
            return
        codes = group.blocks[3].to_bytes(2, "big")
        self.ps = self._name.put(group.blocks[1] & 0x3, codes, group.has(3, 0)) or self.ps

    def _take_text(self, group: Group, version_b: bool) -> None:
        flag, position = group.blocks[1] >> 4 & 1, group.blocks[1] & 0xF
        if flag != self._text_flag:
            self._text_flag, self.rt = flag, None
            for text in self._texts:
                text.forget()
        if not group.has(3) or not (version_b or group.has(2)):
            return
        codes = group.blocks[3].to_bytes(2, "big")
        clean = group.has(3, 0)
        if not version_b:
            codes = group.blocks[2].to_bytes(2, "big") + codes
            clean = clean and group.has(2, 0)
        self.rt = self._texts[int(version_b)].put(position, codes, clean) or self.rt


if __name__ == "__main__":
    from hardware.rds_listing import main

    raise SystemExit(main())
