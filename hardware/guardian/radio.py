"""The tuner on the guardian's own bus: started, tuned and read step by step, so the loop never waits for it."""

from hardware.rds import Decoder, Group
from hardware.si4703 import FrequencyError, Si4703Error

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from hardware.si4703 import Reading, Si4703

POLL_MS = 40
"""A group of RDS stands in the chip for at least 40 ms, and one comes every 88 ms."""
READING_MS = 500
RETRY_MS = 10_000
RDS_SILENT_MS_MAX = 3000
"""After this long without a group nothing is known any more: another sender may have covered the one that told it."""


class Radio:
    """Drives a chip step by step.

    Attributes:
        present: a chip answers.
        tuned_khz: where it is, 0 while it is on its way or nobody listens.
        failed_khz: the frequency it could not go to, 0 for none.
        rssi_dbuv: strength; 0 where the chip says that there is no station.
        pi: identity, None while unknown.
    """

    def __init__(self, chip: "Si4703 | None", now_ms: int) -> None:
        self.present = False
        self.tuned_khz = 0
        self.failed_khz = 0
        self.rssi_dbuv = 0
        self.pi: int | None = None
        self._chip = chip
        self._rds = Decoder()
        self._steps: Iterator[int] | None = None
        self._goal_khz = 0
        self._due_ms = now_ms
        self._told_ms = now_ms
        self._group_ms = now_ms

    def turn(self, now_ms: int, wanted_khz: int | None) -> bool:
        """Goes on; gives whether there is a new reading, twice a second."""
        if self._chip is None or now_ms < self._due_ms:
            return False
        try:
            return self._go_on(self._chip, now_ms, wanted_khz)
        except FrequencyError:
            self._steps = None
            self.failed_khz = self._goal_khz
        except (OSError, Si4703Error):
            self._lose(now_ms)
        return False

    def forgive(self) -> None:
        """What failed may be tried again."""
        self.failed_khz = 0

    def _go_on(self, chip: "Si4703", now_ms: int, wanted_khz: int | None) -> bool:
        if self._steps is None:
            self._begin(chip, wanted_khz)
        if self._steps is not None:
            self._step(now_ms)
            return False
        self._due_ms = now_ms + POLL_MS
        if not self.tuned_khz:
            return False
        self._take(now_ms, chip.read())
        if now_ms - self._told_ms < READING_MS:
            return False
        self._told_ms = now_ms
        return True

    def _begin(self, chip: "Si4703", wanted_khz: int | None) -> None:
        if not self.present:
            self._goal_khz = 0
            self._steps = chip.power_up()
        elif wanted_khz is None:
            self.failed_khz = 0
            self.tuned_khz = 0
        elif wanted_khz not in (self.tuned_khz, self.failed_khz):
            self.tuned_khz = 0
            self.failed_khz = 0
            self.rssi_dbuv = 0
            self.pi = None
            self._rds.forget()
            self._goal_khz = wanted_khz
            self._steps = chip.tune(wanted_khz)

    def _step(self, now_ms: int) -> None:
        assert self._steps is not None
        for wait_ms in self._steps:
            self._due_ms = now_ms + wait_ms
            return
        self._steps = None
        self.present = True
        self.tuned_khz = self._goal_khz
        self._due_ms = now_ms

    def _take(self, now_ms: int, reading: "Reading") -> None:
        if not reading.enabled:
            raise Si4703Error("the chip has lost its supply")
        self.rssi_dbuv = 0 if reading.off_station else reading.rssi_dbuv
        if reading.group is not None:
            group = Group(reading.group, reading.errors)
            if group.has(0):
                self._group_ms = now_ms
            self._rds.feed(group)
        if now_ms - self._group_ms >= RDS_SILENT_MS_MAX:
            self._rds.forget()
        self.pi = None if self._rds.pi is None else int(self._rds.pi, 16)

    def _lose(self, now_ms: int) -> None:
        """Nobody answers: tried again later, from the reset on."""
        self.failed_khz = self._goal_khz
        self._steps = None
        self.present = False
        self.tuned_khz = 0
        self.rssi_dbuv = 0
        self.pi = None
        self._due_ms = now_ms + RETRY_MS
