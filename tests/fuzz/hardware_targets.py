"""What comes from the air and from chips on a bus: groups of RDS, as text and as registers, and the clock chip."""

from __future__ import annotations

import io

from hardware.ds3231 import Ds3231
from hardware.rds import Decoder, Group
from hardware.rds_listing import lines_of, listing
from hardware.si4703 import Si4703
from simulators.rds_encoder import Programme, time_group
from tests.fuzz.mutation import FOREIGN
from tests.fuzz.target import Target

_MODULES = ("hardware",)
_PROGRAMME = Programme(0xA201, "VOV1", "Xin chao")


class _Registers:
    """A bus on which every chip says the same bytes, as many as are asked for."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def read(self, address: int, count: int) -> bytes:
        return (self._data + bytes(count))[:count]

    def write(self, address: int, data: bytes) -> None:
        pass


def rds_lines(data: bytes) -> None:
    """The command that lists groups: any text, any line."""
    for _, line in listing(lines_of(io.BytesIO(data))):
        assert len(line) < 500


def rds_groups(data: bytes) -> None:
    """The decoder: any blocks with any errors; what it believes has its form."""
    decoder = Decoder()
    for at in range(0, len(data) - 8, 9):
        blocks = tuple(int.from_bytes(data[at + two : at + two + 2], "big") for two in (0, 2, 4, 6))
        decoder.feed(Group(blocks, tuple(data[at + 8] >> shift & 3 for shift in (0, 2, 4, 6))))
        assert decoder.pi is None or len(decoder.pi) == 4
        assert len(decoder.ps or "") <= 8
        assert len(decoder.rt or "") <= 64
        assert decoder.ct is None or 0 < decoder.ct.utc_s < 1 << 32


def tuner_registers(data: bytes) -> None:
    """What the FM chip's registers hold, whatever they hold."""
    chip = Si4703(_Registers(data), reset=lambda high: None, hold_sdio=lambda low: None)
    reading = chip.read()
    assert reading.frequency_khz == 0 or 76_000 <= reading.frequency_khz <= 178_300
    if reading.group is not None:
        Decoder().feed(Group(reading.group, reading.errors))


def clock_registers(data: bytes) -> None:
    """What the clock chip's registers hold: a time, or none."""
    told = Ds3231(_Registers(data)).read()
    assert told.trusted or told.utc_s >= 0


def _lines() -> list[bytes]:
    groups = [_PROGRAMME.group(number) for number in range(24)] + [time_group(0xA201, 1_795_451_640)]
    lines = [" ".join(f"{block:04X}" for block in group) for group in groups]
    return ["\n".join(lines).encode(), ("\n".join(lines[:4]) + " 0013\n---- 0408 2020 ----").encode(), *FOREIGN]


def _groups() -> list[bytes]:
    groups = [_PROGRAMME.group(number) for number in range(40)] + [time_group(0xA201, 1_795_451_640)]
    return [b"".join(b"".join(block.to_bytes(2, "big") for block in group) + b"\0" for group in groups)]


TARGETS = {
    "rds_lines": Target(rds_lines, _lines, _MODULES, runs=3_000),
    "rds_groups": Target(rds_groups, _groups, _MODULES, runs=3_000),
    "tuner_registers": Target(tuner_registers, lambda: [bytes(range(32))], _MODULES, size_max=64),
    "clock_registers": Target(clock_registers, lambda: [b"\x59\x59\x23\x01\x31\x12\x99"], _MODULES, size_max=32),
}
