"""The FM receiver Si4703-C19 (and Si4702, which has no RDS) by its registers, for CPython and MicroPython alike.

Sixteen registers of 16 bits. There is no register pointer: reading begins at 0x0A and goes on at 0x00 after 0x0F,
writing begins at 0x02. The chip speaks two-wire only if SDIO was low when RST rose. All waiting is told, not done:
procedures are generators that yield milliseconds, so whoever drives them may sleep, beat a heart or let a virtual
clock jump. `walk` drives one by sleeping.

    walk(chip.power_up(), sleep_ms)
    walk(chip.tune(99_900), sleep_ms)

Bands end at 76 MHz. For 64 to 76 MHz take an Si4734/35-D60 (64 to 108 MHz), for 54 to 68 MHz an RDA5807M (50 to
115 MHz); neither has this register map, both need drivers of their own.

Source: Silicon Labs, Si4702/03-C19 data sheet rev. 1.1 (section 6, registers) and AN230 rev. 0.9 (programming guide).
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Protocol

    class Bus(Protocol):
        """Plain I2C messages, one a call; both raise OSError when nobody acknowledges."""

        def read(self, address: int, count: int) -> bytes: ...

        def write(self, address: int, data: bytes) -> None: ...


ADDRESS = 0x10
KHZ_MIN = 76_000
KHZ_MAX = 108_000
SPACING_KHZ = 100
SEEK_RSSI_DBUV = 25
VOLUME_MAX = 15

_POWERCFG, _CHANNEL, _SYSCONFIG1, _SYSCONFIG2, _SYSCONFIG3, _TEST1 = 2, 3, 4, 5, 6, 7
_DMUTE, _MONO, _RDSM, _SKMODE, _SEEKUP, _SEEK = 1 << 14, 1 << 13, 1 << 11, 1 << 10, 1 << 9, 1 << 8
_DISABLE, _ENABLE = 1 << 6, 1
_TUNE = 1 << 15
_RDS, _DE_50_US = 1 << 12, 1 << 11
_BAND_76_TO_108, _SPACE_100_KHZ = 1 << 6, 1 << 4
_SEEK_SNR, _SEEK_IMPULSES = 4 << 4, 8  # AN230, table 18: what most stations and few noises pass
_XOSCEN = 1 << 15
_RDSR, _STC, _SFBL, _AFCRL, _RDSS, _STEREO = 1 << 15, 1 << 14, 1 << 13, 1 << 12, 1 << 11, 1 << 8

_RESET_MS = 1
_CRYSTAL_MS = 500
_POWER_UP_MS = 110
_POLL_MS = 10
_TUNE_MS = 65
"""60 ms are promised. Nothing is said on the bus meanwhile: data sheet, errata of the oscillator in 4.7.1."""
_TUNE_MS_MAX = 200
_SEEK_POLL_MS = 400
_SEEK_MS_MAX = 25_000
"""60 ms for each of the 321 channels of the band, and some more."""
_FALSE_STOPS_MAX = 30
_CLEAR_MS_MAX = 100
_MANUFACTURER = 0x242
_DEVICE_SI4703 = 0b1000


class Si4703Error(Exception):
    """The chip answers, but not as it should."""


class FrequencyError(ValueError):
    """This chip cannot receive that frequency; the message names what can."""


def walk(steps: "Iterator[int]", sleep_ms: "Callable[[int], object]") -> None:
    """Goes through a procedure, sleeping as long as it asks."""
    for wait_ms in steps:
        sleep_ms(wait_ms)


class Reading:
    """What the chip says at one moment.

    Attributes:
        frequency_khz: the channel it is on, 0 while it is off.
        rssi_dbuv: strength, 0 to 75 dB above 1 µV.
        stereo: a pilot is decoded.
        off_station: the AFC is at its rail, so there is no station here and the chip mutes itself, however strong.
        complete: the tuning or seeking asked for has ended.
        limit: seeking found nothing up to the end of the band.
        synchronised: RDS is being received.
        group: blocks A to D of a group of RDS that has come, or None; the same one is shown for at least 40 ms.
        errors: their levels, 0 (none) to 3 (lost).
        enabled: the chip is powered up; false after it lost its supply.
    """

    def __init__(self, words: "list[int]") -> None:
        status, channel = words[0x0A], words[0x0B]
        self.enabled = words[_POWERCFG] & (_ENABLE | _DISABLE) == _ENABLE
        self.frequency_khz = KHZ_MIN + SPACING_KHZ * (channel & 0x3FF) if self.enabled else 0
        self.rssi_dbuv = status & 0xFF
        self.stereo = bool(status & _STEREO)
        self.off_station = bool(status & _AFCRL)
        self.complete = bool(status & _STC)
        self.limit = bool(status & _SFBL)
        self.synchronised = bool(status & _RDSS)
        self.group = tuple(words[0x0C:0x10]) if status & _RDSR else None
        self.errors = (status >> 9 & 3, channel >> 14 & 3, channel >> 12 & 3, channel >> 10 & 3)


def check_frequency(frequency_khz: int) -> None:
    """Raises FrequencyError for what this chip cannot receive."""
    if not KHZ_MIN <= frequency_khz <= KHZ_MAX:
        raise FrequencyError(
            f"{frequency_khz} kHz: the Si4703 receives 76.0 to 108.0 MHz; "
            "take an Si4734/35-D60 for 64 to 108 MHz, an RDA5807M for 50 to 115 MHz"
        )
    if frequency_khz % SPACING_KHZ:
        raise FrequencyError(f"{frequency_khz} kHz: the Si4703 is set to steps of 100 kHz")


class Si4703:
    """The chip on a bus. Not for several threads or tasks at once: a procedure belongs to one of them until its end.

    Args:
        bus: plain messages; OSError passes through.
        reset: sets the RST line, low at first; `machine.Pin` objects and gpiozero's `value` setters both fit.
        hold_sdio: True pulls SDIO (the bus's data line) low, False lets it go and makes it the bus's again.
        crystal: a 32.768 kHz crystal is fitted; False for a board that feeds RCLK.
        rds: False for the Si4702.
    """

    def __init__(
        self,
        bus: "Bus",
        *,
        reset: "Callable[[bool], object]",
        hold_sdio: "Callable[[bool], object]",
        crystal: bool = True,
        rds: bool = True,
        address: int = ADDRESS,
    ) -> None:
        self._bus, self._address = bus, address
        self._reset, self._hold_sdio = reset, hold_sdio
        self._crystal, self._rds = crystal, rds
        self._words = [0] * 16
        self._volume = VOLUME_MAX
        self._muted = False
        self.found = self._limit = False

    def power_up(self) -> "Iterator[int]":
        """Resets the chip into two-wire mode and starts it: about 0.6 s.

        Raises:
            OSError: nobody answers.
            Si4703Error: what answers is no Si4702/03.
        """
        yield from self._enter_two_wire()
        self.read()
        if self._words[0] & 0xFFF != _MANUFACTURER:
            raise Si4703Error(f"what answers at {self._address:#04x} is no Si4702/03: {self._words[0]:#06x}")
        if self._crystal:
            self._words[_TEST1] |= _XOSCEN
            self._write(_TEST1)
            yield _CRYSTAL_MS
        self._words[_POWERCFG] = self._power_word()
        self._write(_POWERCFG)
        yield _POWER_UP_MS
        self.read()
        if self._rds and not self._words[1] >> 6 & _DEVICE_SI4703:
            raise Si4703Error(f"the chip is an Si4702, which has no RDS: {self._words[1]:#06x}")
        self._configure()

    def _enter_two_wire(self) -> "Iterator[int]":
        self._reset(False)
        self._hold_sdio(True)
        try:
            yield _RESET_MS
            self._reset(True)
            yield _RESET_MS
        finally:
            self._hold_sdio(False)
        yield _RESET_MS

    def _power_word(self) -> int:
        """Mono, because one horn has one channel and mono has less noise; RDS verbose, which tells block errors."""
        return (0 if self._muted else _DMUTE) | _MONO | (_RDSM if self._rds else 0) | _ENABLE

    def _configure(self) -> None:
        """De-emphasis 50 µs, steps of 100 kHz as in Viet Nam; from 76 MHz, since the other band begins at 87.5."""
        words = self._words
        words[_POWERCFG] = self._power_word()
        words[_SYSCONFIG1] = words[_SYSCONFIG1] | _DE_50_US | (_RDS if self._rds else 0)
        words[_SYSCONFIG2] = SEEK_RSSI_DBUV << 8 | _BAND_76_TO_108 | _SPACE_100_KHZ | self._volume
        words[_SYSCONFIG3] = words[_SYSCONFIG3] & 0xFF00 | _SEEK_SNR | _SEEK_IMPULSES
        self._write(_SYSCONFIG3)

    def power_down(self) -> "Iterator[int]":
        """Audio off, chip asleep; `power_up` wakes it."""
        self._words[_SYSCONFIG1] &= ~_RDS & 0xFFFF
        self._words[_POWERCFG] = _ENABLE | _DISABLE
        self._write(_SYSCONFIG1)
        yield 2

    def set_volume(self, volume: int, muted: bool = False) -> None:
        """0 to 15 in steps of about 2 dB; the card's own level is set elsewhere."""
        if not 0 <= volume <= VOLUME_MAX:
            raise ValueError("volume is 0 to 15")
        self._volume, self._muted = volume, muted
        self._words[_POWERCFG] = self._power_word()
        self._words[_SYSCONFIG2] = self._words[_SYSCONFIG2] & 0xFFF0 | volume
        self._write(_SYSCONFIG2)

    def read(self) -> Reading:
        """All registers as they are now: 32 bytes."""
        data = self._bus.read(self._address, 32)
        if len(data) != 32:
            raise Si4703Error(f"{len(data)} bytes came instead of 32")
        for at in range(16):
            self._words[(0x0A + at) & 0xF] = data[2 * at] << 8 | data[2 * at + 1]
        return Reading(self._words)

    def tune(self, frequency_khz: int) -> "Iterator[int]":
        """Goes to a frequency: about 60 ms, then `read` tells how it is there. Raises FrequencyError, Si4703Error."""
        check_frequency(frequency_khz)
        yield from self._settled()
        self._words[_CHANNEL] = _TUNE | (frequency_khz - KHZ_MIN) // SPACING_KHZ
        self._write(_CHANNEL)
        yield from self._complete(_TUNE_MS, _POLL_MS, _TUNE_MS_MAX)
        self._words[_CHANNEL] &= ~_TUNE & 0xFFFF
        self._write(_CHANNEL)
        yield from self._settled()
        found = self.read().frequency_khz
        if found != frequency_khz:
            raise Si4703Error(f"the chip went to {found} kHz instead of {frequency_khz}")

    def seek(self, up: bool = True, wrap: bool = False) -> "Iterator[int]":
        """Goes to the next station: up to 25 s, seldom more. `found` then says whether there is one.

        Messages disturb the chip's oscillator while it seeks, and it stops where nothing is; so it is asked seldom,
        and where it stops is tuned to once more in silence before it is believed.

        Args:
            up: towards higher frequencies.
            wrap: go on at the other end of the band, once round.

        Raises:
            Si4703Error: it does not come to an end.
        """
        self.found = False
        for _ in range(_FALSE_STOPS_MAX):
            yield from self._seek_once((_SEEKUP if up else 0) | (0 if wrap else _SKMODE))
            ended = self.read()
            if self._limit:
                return
            yield from self.tune(ended.frequency_khz)
            now = self.read()
            if now.rssi_dbuv >= SEEK_RSSI_DBUV and not now.off_station:
                self.found = True
                return
        raise Si4703Error(f"seeking stopped {_FALSE_STOPS_MAX} times where nothing is; is the bus too busy?")

    def _seek_once(self, mode: int) -> "Iterator[int]":
        yield from self._settled()
        self._words[_POWERCFG] = self._power_word() | _SEEK | mode
        self._write(_POWERCFG)
        yield from self._complete(_SEEK_POLL_MS, _SEEK_POLL_MS, _SEEK_MS_MAX)
        self._limit = self.read().limit
        self._words[_POWERCFG] = self._power_word()
        self._write(_POWERCFG)
        yield from self._settled()

    def _complete(self, first_ms: int, every_ms: int, limit_ms: int) -> "Iterator[int]":
        yield first_ms
        for _ in range((limit_ms - first_ms) // every_ms + 1):
            if self.read().complete:
                return
            yield every_ms
        self._stop()
        raise Si4703Error(f"tuning did not end within {limit_ms} ms")

    def _stop(self) -> None:
        self._words[_CHANNEL] &= ~_TUNE & 0xFFFF
        self._words[_POWERCFG] = self._power_word()
        self._write(_CHANNEL)

    def _settled(self) -> "Iterator[int]":
        """STC must have fallen before the next tuning may begin (AN230, section 3.7)."""
        for _ in range(_CLEAR_MS_MAX // _POLL_MS):
            now = self.read()
            if not now.enabled:
                raise Si4703Error("the chip is not powered up; its supply may have failed")
            if not now.complete:
                return
            yield _POLL_MS
        raise Si4703Error(f"the end of the last tuning still stands after {_CLEAR_MS_MAX} ms")

    def _write(self, last: int) -> None:
        """Writes the registers from 0x02 up to one; the reserved ones keep what was read from them."""
        data = []
        for word in self._words[_POWERCFG : last + 1]:
            data.append(word >> 8)
            data.append(word & 0xFF)
        self._bus.write(self._address, bytes(data))
