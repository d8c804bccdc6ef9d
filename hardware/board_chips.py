"""The parts of a board behind a bus or a serial port: tuner, meter, clock chip, guardian, and their watch."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, nullcontext
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol, TypeVar

from hardware.access import Access
from hardware.board_file import BoardFile, ClockChipPart, GuardianPart, MeterPart, TunerPart
from hardware.chip_thread import in_chip_thread
from hardware.errors import BoardError
from hardware.i18n import N_
from hardware.interfaces import Amplifier, FmTuner
from hardware.linux_i2c import I2c

if TYPE_CHECKING:
    from hardware.alsa_capture import AlsaCapture
    from hardware.ds3231 import Ds3231, KernelClock
    from hardware.fm_tuner import RadioTime, Si4703Tuner
    from hardware.guardian_link import GuardianLink
    from hardware.line_meter import LineMeter

_KEY_BYTES: Final = 32
T = TypeVar("T")
P = TypeVar("P")


class Fit(Protocol):
    """Makes a part that is named in the file; None when it is not, or does not answer."""

    def __call__(self, name: str, part: P | None, make: Callable[[P], T]) -> T | None: ...


class Chips:
    """What could be opened of them.

    Attributes:
        guardian: the link to it; with it, `amplifier` is its relay.
        tuner: on our own bus, where it is `own_tuner`, too, or behind the guardian.
        meter: measures while its `run` runs.
        clock: the clock chip; the kernel's where the kernel owns it.
    """

    def __init__(self, file: BoardFile, access: Access, *, fit: Fit) -> None:
        self._file, self._access, self._fit = file, access, fit
        self._bus: I2c | None = None
        self.guardian: GuardianLink | None = fit("guardian", file.guardian, self._make_guardian)
        fit("guardian's line", self.guardian, _Held)
        self.amplifier: Amplifier | None = self._make_amplifier()
        self.own_tuner: Si4703Tuner | None = None
        self.tuner: FmTuner | None = fit("tuner", file.tuner, self._make_tuner)
        self.meter: LineMeter | None = fit("meter", file.meter, self._make_meter)
        self.clock: Ds3231 | KernelClock | None = fit("clock_chip", file.clock_chip, self._make_clock)

    async def chip_time_ms(self) -> int | None:
        """Wall milliseconds by the clock chip; None without one, or when it knows itself that it has stopped.

        Raises:
            PortError: it does not answer.
        """
        if self.clock is None:
            return None
        told = await in_chip_thread(self.clock.read)
        return told.utc_s * 1000 if told.trusted else None

    def own_chip(self) -> OwnChip | None:
        """The clock chip that we may set; the kernel's is set by whoever owns the kernel's clock."""
        from hardware.ds3231 import Ds3231

        return OwnChip(self.clock) if isinstance(self.clock, Ds3231) else None

    def radio_time(self) -> RadioTime | None:
        """The last time that the station tuned to has told, if this tuner decodes it."""
        told: Callable[[], RadioTime | None] | None = getattr(self.tuner, "clock_time", None)
        return None if told is None else told()

    def _i2c(self) -> I2c:
        if self._bus is None:
            self._bus = self._access.i2c(self._file.i2c_bus)
        return self._bus

    def _make_guardian(self, part: GuardianPart) -> GuardianLink:
        from hardware.guardian_link import GuardianLink

        return GuardianLink(self._access.uart(part.port), read_key(Path(part.key_file)))

    def _make_amplifier(self) -> Amplifier | None:
        if self.guardian is None:
            return None
        from hardware.guardian_link import GuardianAmplifier

        return GuardianAmplifier(self.guardian)

    def _make_tuner(self, part: TunerPart) -> FmTuner:
        from hardware.alsa_capture import AlsaCapture

        alsa = self._access
        capture = AlsaCapture(part.capture, mixer=part.mixer or None, library=alsa.alsa_library, root=alsa.root)
        if not part.behind_guardian:
            self.own_tuner = self._make_own_tuner(part, capture)
            return self.own_tuner
        if self.guardian is None:
            raise BoardError(N_("it is behind the guardian, which is not to be had"))
        from hardware.guardian_link import GuardianTuner

        return GuardianTuner(self.guardian, capture)

    def _make_own_tuner(self, part: TunerPart, capture: AlsaCapture) -> Si4703Tuner:
        from hardware.fm_tuner import Si4703Tuner
        from hardware.gpio_line import OutputLine
        from hardware.si4703 import Si4703

        bus = self._i2c()
        assert part.reset_pin is not None, "the file was checked"
        reset = self._fit("tuner reset", part.reset_pin, lambda pin: OutputLine(pin, factory=self._access.pins()))
        if reset is None:
            raise BoardError(N_("its reset pin is not to be had"))
        chip = Si4703(bus, reset=reset.set, hold_sdio=bus.hold, address=part.address)
        return Si4703Tuner(chip, capture, quiet=self._quiet)

    def _quiet(self) -> AbstractAsyncContextManager[object]:
        """Traffic on the bus while the tuner tunes makes it miss the station: the meter waits."""
        return nullcontext() if self.meter is None else self.meter.lent()

    def _make_meter(self, part: MeterPart) -> LineMeter:
        from hardware.ads1115 import Ads1115
        from hardware.line_meter import LineMeter, LineScale

        scale = LineScale(
            full_uv=part.full_mv * 1000,
            rest_uv=part.rest_mv * 1000,
            full_volts=part.line_volts,
            full_current_uv=part.current_mv * 1000,
            full_amperes=part.current_ma / 1000,
        )
        return LineMeter(Ads1115(self._i2c(), address=part.address), scale=scale)

    def _make_clock(self, part: ClockChipPart) -> Ds3231 | KernelClock:
        from hardware.ds3231 import Ds3231, KernelClock, kernel_owns

        if kernel_owns(self._file.i2c_bus, address=part.address, root=self._access.root):
            return KernelClock(root=self._access.root)
        return Ds3231(self._i2c(), address=part.address)


class OwnChip:
    """Implements `hardware.interfaces.ClockChip`."""

    def __init__(self, chip: Ds3231) -> None:
        self._chip = chip

    async def read_ms(self) -> int | None:
        """See `hardware.interfaces.ClockChip`."""
        told = await in_chip_thread(self._chip.read)
        return told.utc_s * 1000 if told.trusted else None

    async def set(self, utc_s: int) -> None:
        """See `hardware.interfaces.ClockChip`."""
        await in_chip_thread(partial(self._chip.set, utc_s))


class _Held:
    """Keeps the line to the guardian until it is closed."""

    def __init__(self, link: GuardianLink) -> None:
        self._link = link
        self._task = asyncio.get_running_loop().create_task(self._hold(), name="guardian")

    async def close(self) -> None:
        """Lets go of the line."""
        self._task.cancel()
        await asyncio.wait([self._task])

    async def _hold(self) -> None:
        async with self._link:
            await asyncio.Event().wait()


def read_key(path: Path) -> bytes:
    """The key that guardian and computer share: 32 bytes, or their 64 hexadecimal digits.

    Raises:
        BoardError: it is missing, or no key.
    """
    try:
        with path.open("rb") as file:
            data = file.read(_KEY_BYTES * 4)
        return data if len(data) == _KEY_BYTES else _from_digits(data)
    except (OSError, ValueError, BoardError) as error:
        words = N_("the guardian's key %(path)s cannot be read: %(why)s; pair the guardian again")
        raise BoardError(words, path=path, why=error.strerror if isinstance(error, OSError) else error) from error


def _from_digits(data: bytes) -> bytes:
    key = bytes.fromhex(data.decode("ascii"))
    if len(key) != _KEY_BYTES:
        raise BoardError(N_("it has %(count)d bytes, not %(wanted)d"), count=len(key), wanted=_KEY_BYTES)
    return key
