"""The Si4703-C19 as its registers show it, with its times and its ways to fail; runs under CPython and MicroPython.

What a driver can do wrong shows here as on silicon: enabled before the crystal has settled or with reserved bits
changed it never ends a tuning; reset with SDIO high it does not speak two-wire; tuned again before STC has fallen it
does nothing; talked to while it tunes or seeks, its oscillator trembles: it is mistuned, or stops where nothing is.
Source: Si4702/03-C19 data sheet rev. 1.1 (with the errata of section 4.7.1) and AN230.

The ether is a function: frequency in kHz to (strength in dBµV, programme or None); a programme's `group(number)`
gives four blocks for the group that begins at number × 87.6 ms.
"""

from simulators.i2c_bus import NOBODY
from simulators.rds_encoder import GROUP_MS, Programme

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

CRYSTAL_MS = 500
POWER_UP_MS = 110
TUNE_MS = 50
SEEK_STEP_MS = 50
CLEAR_MS = 2
TALK_MS_MIN = 200
"""Messages that come more often than this while it seeks make it stop."""
SYNCHRONISE_MS = 250
READY_MS = 40
"""How long RDSR stays after a group has come."""
RDS_RSSI_DBUV_MIN = 16
CLEAN_RSSI_DBUV = 36
_NEIGHBOUR_DB = 20
_BANDS_KHZ = ((87_500, 108_000), (76_000, 108_000), (76_000, 90_000), (76_000, 108_000))
_SPACES_KHZ = (200, 100, 50, 50)
_AT_RESET = (0x1242, 0x1200, 0, 0, 0, 0, 0, 0x0100, 0, 0, 0, 0, 0, 0, 0, 0)
_XOSCEN, _TUNE, _SEEK, _SKMODE, _SEEKUP = 0x8000, 0x8000, 0x0100, 0x0400, 0x0200


class Si4703Chip:
    """One chip. Sits on a `SimI2cBus` at 0x10.

    Args:
        now_ms: the clock it lives by.
        air: what its aerial hears, see above.
        data_is_low: the level of SDIO when RST rises.

    Attributes:
        gone: it does not acknowledge (no supply, broken wire).
        stuck: no tuning ends.
    """

    def __init__(
        self,
        now_ms: "Callable[[], float]",
        air: "Callable[[int], tuple[int, Programme | None]]",
        data_is_low: "Callable[[], bool]",
    ) -> None:
        self._now_ms, self._air, self._data_is_low = now_ms, air, data_is_low
        self.gone = self.stuck = False
        self._awake = self._two_wire = False
        self._start()

    def _start(self) -> None:
        self._words = list(_AT_RESET)
        self._crystal_ms = self._enabled_ms = -1.0
        self._sane = True
        self._channel = 0
        self._tuned_ms = 0.0
        self._begun_ms = self._ends_ms = -1.0
        self._target = (0, False)
        self._messages = 0
        self._mistuned = False
        self._stc = self._limit = False
        self._falls_ms = -1.0

    def reset(self, high: bool) -> None:
        """The RST line."""
        if high and not self._awake:
            self._start()
            self._two_wire = self._data_is_low()
        self._awake = high

    def lose_power(self) -> None:
        """The supply dips: everything is forgotten, also which wires it speaks."""
        self._start()
        self._two_wire = False

    @property
    def frequency_khz(self) -> int:
        """What it is tuned to, 0 while it is not on."""
        low, _, space = self._band()
        return low + self._channel * space if self._powered() and self._tuned_ms else 0

    @property
    def sounds(self) -> bool:
        """Whether its outputs carry what it hears."""
        off_station = self._heard()[2]
        return self.frequency_khz > 0 and bool(self._words[2] & 0x4000) and not off_station

    def read(self, count: int) -> bytes:
        """From 0x0A on, round and round."""
        self._check()
        self._advance()
        self._tremble()
        self._show()
        data = b""
        for at in range((count + 1) // 2):
            data += self._words[(0x0A + at) & 0xF].to_bytes(2, "big")
        return data[:count]

    def write(self, data: bytes) -> None:
        """From 0x02 on, up to 0x09; half a register is not taken."""
        self._check()
        self._advance()
        self._tremble()
        for at in range(min(len(data) // 2, 8)):
            self._take(2 + at, data[2 * at] << 8 | data[2 * at + 1])

    def _check(self) -> None:
        if self.gone or not self._awake or not self._two_wire:
            raise OSError(NOBODY, "nobody acknowledges")

    def _take(self, number: int, word: int) -> None:
        former, self._words[number] = self._words[number], word
        if number == 2:
            self._take_power(former, word)
        elif number == 3:
            self._take_channel(former, word)
        elif number == 7:
            self._take_test(former, word)
        elif number > 7 and word != former:
            self._sane = False

    def _take_test(self, former: int, word: int) -> None:
        if (former ^ word) & 0x3FFF:
            self._sane = False
        if word & _XOSCEN and not former & _XOSCEN:
            self._crystal_ms = self._now_ms()

    def _take_power(self, former: int, word: int) -> None:
        if word & 0x41 == 0x41:
            self._words[2], self._enabled_ms, self._tuned_ms = word & ~0x41, -1.0, 0.0
            return
        if word & 1 and not former & 1:
            settled = self._crystal_ms >= 0 and self._now_ms() - self._crystal_ms >= CRYSTAL_MS
            self._sane = self._sane and settled
            self._enabled_ms = self._now_ms()
        if word & _SEEK and not former & _SEEK and self._ready():
            self._begin_seek(word)
        elif former & _SEEK and not word & _SEEK:
            self._end()

    def _take_channel(self, former: int, word: int) -> None:
        if word & _TUNE and not former & _TUNE and self._ready():
            low, high, space = self._band()
            wanted = word & 0x3FF
            self._target = (min(wanted, (high - low) // space), False)
            self._begin(TUNE_MS)
        elif former & _TUNE and not word & _TUNE:
            self._end()

    def _end(self) -> None:
        self._ends_ms = -1.0
        if self._stc:
            self._falls_ms = self._now_ms() + CLEAR_MS

    def _powered(self) -> bool:
        return 0 <= self._enabled_ms <= self._now_ms() - POWER_UP_MS

    def _ready(self) -> bool:
        return self._powered() and self._sane and not self._stc and self._ends_ms < 0

    def _band(self) -> tuple[int, int, int]:
        low, high = _BANDS_KHZ[self._words[5] >> 6 & 3]
        return low, high, _SPACES_KHZ[self._words[5] >> 4 & 3]

    def _begin_seek(self, power: int) -> None:
        low, high, space = self._band()
        last = (high - low) // space
        at, step, steps, found = self._channel, 1 if power & _SEEKUP else -1, 0, False
        while not found and steps < last:
            if not 0 <= at + step <= last and power & _SKMODE:
                break
            at, steps = (at + step) % (last + 1), steps + 1
            rssi_dbuv, _, off_station = self._received(low + at * space)
            found = rssi_dbuv >= self._words[5] >> 8 and not off_station
        self._target = (at if found or power & _SKMODE else self._channel, not found)
        self._begin(max(1, steps) * SEEK_STEP_MS)

    def _begin(self, lasts_ms: float) -> None:
        self._begun_ms = self._now_ms()
        self._ends_ms = self._begun_ms + lasts_ms
        self._messages, self._mistuned = 0, False

    def _tremble(self) -> None:
        """A message has come; while it tunes or seeks, it had better not."""
        if self._ends_ms < 0 or self.stuck or self._now_ms() <= self._begun_ms:
            return
        self._messages += 1
        passed_ms = self._now_ms() - self._begun_ms
        if self._words[2] & _SEEK and self._messages * TALK_MS_MIN > passed_ms:
            low, high, space = self._band()
            step = 1 if self._words[2] & _SEEKUP else -1
            at = (self._channel + step * int(passed_ms // SEEK_STEP_MS + 1)) % ((high - low) // space + 1)
            self._target, self._ends_ms = (at, False), self._now_ms()
        elif not self._words[2] & _SEEK:
            self._mistuned = True

    def _advance(self) -> None:
        now_ms = self._now_ms()
        if self._stc and 0 <= self._falls_ms <= now_ms:
            self._stc, self._limit, self._falls_ms = False, False, -1.0
        if 0 <= self._ends_ms <= now_ms and not self.stuck and not self._stc:
            self._channel, self._limit = self._target
            self._stc, self._tuned_ms, self._ends_ms = True, self._ends_ms, -1.0

    def _received(self, khz: int) -> "tuple[int, Programme | None, bool]":
        """Strength, programme, and whether the AFC is at its rail because a neighbour pulls it."""
        rssi_dbuv, programme = self._air(khz)
        neighbour = max(self._air(khz - 100)[0], self._air(khz + 100)[0]) - _NEIGHBOUR_DB
        if programme is None and neighbour > rssi_dbuv:
            return neighbour, None, True
        return rssi_dbuv, programme, False

    def _heard(self) -> "tuple[int, Programme | None, bool]":
        if not self.frequency_khz:
            return 0, None, False
        if self._mistuned:
            return 12, None, True
        return self._received(self.frequency_khz)

    def _show(self) -> None:
        """Puts what is so now into the registers that only the chip writes."""
        words, powered = self._words, self._powered()
        words[1] = 0x1253 if powered else 0x1200
        rssi_dbuv, programme, off_station = self._heard()
        status = min(rssi_dbuv, 75) | int(off_station) << 12 | int(self._limit) << 13 | int(self._stc) << 14
        channel = self._channel
        if powered and programme is not None and rssi_dbuv >= CLEAN_RSSI_DBUV:
            status |= 0x0100
        if powered and words[4] & 0x1000 and programme is not None:
            status, channel = self._show_group(programme, rssi_dbuv, status, channel)
        words[0x0A], words[0x0B] = status, channel

    def _show_group(self, programme: Programme, rssi_dbuv: int, status: int, channel: int) -> tuple[int, int]:
        """Puts in the last group that has come whole, with what the way through the air did to it."""
        now_ms = self._now_ms()
        number = int(now_ms / GROUP_MS) - 1
        if rssi_dbuv < RDS_RSSI_DBUV_MIN or number * GROUP_MS < self._tuned_ms + SYNCHRONISE_MS:
            return status, channel
        chance = _Chance(number * 131 + rssi_dbuv)
        errors = [chance.level(rssi_dbuv) for _ in range(4)]
        for at, block in enumerate(programme.group(number)):
            self._words[0x0C + at] = chance.spoilt(block, errors[at])
        ready = now_ms - (number + 1) * GROUP_MS < READY_MS
        status |= (0x8000 if ready else 0) | 0x0800 | errors[0] << 9
        return status, channel | errors[1] << 14 | errors[2] << 12 | errors[3] << 10


class _Chance:
    """Errors that are the same at every look: a linear congruential generator begun anew for each group."""

    def __init__(self, seed: int) -> None:
        self._state = seed * 2_654_435_761 & 0xFFFFFFFF
        for _ in range(4):
            self._next(1)

    def _next(self, below: int) -> int:
        self._state = (self._state * 1_664_525 + 1_013_904_223) & 0xFFFFFFFF
        return (self._state >> 16) % below

    def level(self, rssi_dbuv: int) -> int:
        """None above CLEAN_RSSI_DBUV, in nearly every block where reception ends."""
        if self._next(CLEAN_RSSI_DBUV - RDS_RSSI_DBUV_MIN) < rssi_dbuv - RDS_RSSI_DBUV_MIN:
            return 0
        return 1 + self._next(3)

    def spoilt(self, block: int, level: int) -> int:
        """A lost block is rubbish; one in eight of those with many corrections was corrected into something else."""
        if level == 3 or (level == 2 and self._next(8) == 0):
            return block ^ (1 + self._next(0xFFFF))
        return block
