"""The parts of a board for the self-test, from the same drivers that the agent has."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from hardware.board_file import BoardFile
from hardware.chip_thread import in_chip_thread
from hardware.i18n import worded
from hardware.interfaces import Microphone
from hardware.selftest.parts import Parts, Station, StationScan
from hardware.selftest.stepping import step_through

if TYPE_CHECKING:
    from hardware.board import HardwareBoard
    from hardware.line_check import LineCheck

_BUTTONS = ("talk", "key", "stop", "message_1", "message_2", "message_3")


def make_parts(file: BoardFile) -> Parts:
    """The parts of this machine's board. Made inside the running event loop."""
    from hardware.board import HardwareBoard

    return parts_of(HardwareBoard(file))


def parts_of(board: HardwareBoard) -> Parts:
    """What a board has; what its file names and nobody could open is in `broken`."""
    file, chips, gone = board.file, board.chips, board.broken
    own_chip = chips.own_chip()
    switched = file.amplifier or file.selector or file.guardian
    return Parts(
        variant=file.variant,
        card=None if "sound" in gone else board.card(),
        microphone=_raw(board.microphone()) if file.microphone and "microphone" not in gone else None,
        amplifier=board.amplifier() if switched else None,
        meter=chips.meter,
        line=_line(board),
        panel=board.buttons() if file.buttons else None,
        buttons=tuple(one for one in _BUTTONS if getattr(file.buttons, one, None) is not None),
        lamps=board.lamps() if file.lamps else None,
        scan=_scan(board),
        guardian=chips.guardian,
        clock_chip=_clock(board) if file.clock_chip and "clock_chip" not in gone else None,
        set_clock_chip=own_chip.set if own_chip is not None else None,
        broken={name: worded(error) for name, error in board.failures.items()},
        close=board.close,
    )


def clock_alone(file: BoardFile) -> Parts:
    """The clock chip alone: reading and setting it disturbs no agent that runs."""
    part = file.clock_chip
    if part is None:
        return Parts()
    from hardware.ds3231 import Ds3231, kernel_owns

    def chip() -> Ds3231:
        from hardware.linux_i2c import LinuxI2c

        return Ds3231(LinuxI2c(file.i2c_bus), address=part.address)

    async def read() -> datetime | None:
        told = await in_chip_thread(lambda: chip().read())
        return datetime.fromtimestamp(told.utc_s, UTC) if told.trusted else None

    async def set_to(utc_s: int) -> None:
        await in_chip_thread(lambda: chip().set(utc_s))

    owned = kernel_owns(file.i2c_bus, address=part.address)
    return Parts(clock_chip=read, set_clock_chip=None if owned else set_to)


def _raw(microphone: Microphone) -> Microphone:
    """As it hears: gate and levelling would hide noise and hum."""
    raw: Microphone = getattr(microphone, "capture", microphone)
    return raw


def _clock(board: HardwareBoard) -> Callable[[], Awaitable[datetime | None]]:
    async def read() -> datetime | None:
        told_ms = await asyncio.wait_for(board.chips.chip_time_ms(), 5.0)
        return None if told_ms is None else datetime.fromtimestamp(told_ms / 1000, UTC)

    return read


def _line(board: HardwareBoard) -> LineCheck | None:
    from hardware.line_check import LineCheck, LineLimits, PilotedAmplifier

    amplifier, part = board.amplifier(), board.file.meter
    if part is None or board.chips.meter is None or not isinstance(amplifier, PilotedAmplifier):
        return None
    return LineCheck(
        board.chips.meter, amplifier, LineLimits(learned_ohm=part.learned_ohm), sees_earth=part.sees_earth
    )


def _scan(board: HardwareBoard) -> StationScan | None:
    from hardware.fm_tuner import Si4703Tuner

    tuner = board.tuner()
    if tuner is None:
        return None
    if not isinstance(tuner, Si4703Tuner):
        return lambda: step_through(tuner)

    async def seek() -> tuple[Station, ...]:
        found = await tuner.scan()
        return tuple(Station(one.frequency_khz, one.rssi_dbuv, one.pi or "", one.ps or "") for one in found)

    return seek
