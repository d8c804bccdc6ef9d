"""The hour, as the guardian knows it: told by the computer or read from its clock chip, never guessed.

Its own running clock is the witness. A told time more than 60 s away from it is refused, however often it is told,
and small lies do not add up: they are measured against the first time that was believed, which ages by 100 ppm (the
crystal is within 30). Only a clock chip that agrees with the told time outvotes it.
"""

APART_MS_MAX = 60_000
DRIFT_DIVISOR = 10_000
"""One part in so many: what the board's crystal may be off."""
CHIP_APART_MS = 2000
"""From this much on the clock chip is set anew."""


class WallClock:
    """Keeps the wall time beside the monotonic one; all in ms.

    Args:
        floor_ms: no time before this is believed (less a minute): the last one known when a plan was stored.
    """

    def __init__(self, floor_ms: int = 0) -> None:
        self.floor_ms = floor_ms
        self.refused = False
        self._first: tuple[int, int] | None = None
        self._offset_ms: int | None = None

    def wall_ms(self, now_ms: int) -> int | None:
        """The hour at a monotonic time, or None."""
        return None if self._offset_ms is None else now_ms + self._offset_ms

    def read_chip(self, now_ms: int, chip_ms: int | None) -> None:
        """The clock chip's time after a reset, if its oscillator never stopped."""
        if self._offset_ms is None and chip_ms is not None and self._after_floor(chip_ms):
            self._believe(now_ms, chip_ms)

    def told(self, now_ms: int, told_ms: int, chip_ms: int | None = None) -> bool:
        """Takes the computer's word; gives whether it was believed.

        Args:
            chip_ms: what the clock chip says, None without one or when its oscillator has stopped.
        """
        chip_agrees = chip_ms is not None and abs(chip_ms - told_ms) <= APART_MS_MAX
        believed = self._after_floor(told_ms) and (self._fits(now_ms, told_ms) or chip_agrees)
        self.refused = not believed
        if believed and (self._first is None or not self._fits(now_ms, told_ms)):
            self._believe(now_ms, told_ms)
        elif believed:
            self._offset_ms = told_ms - now_ms
        return believed

    def forget(self) -> None:
        """Whoever paired the two anew stands before the device: the next told time counts."""
        self._first = None
        self._offset_ms = None
        self.floor_ms = 0
        self.refused = False

    def _fits(self, now_ms: int, told_ms: int) -> bool:
        """Whether it agrees with the running clock, if that has the hour at all."""
        if self._first is None:
            return True
        first_ms, first_wall_ms = self._first
        passed_ms = now_ms - first_ms
        return abs(told_ms - (first_wall_ms + passed_ms)) <= APART_MS_MAX + passed_ms // DRIFT_DIVISOR

    def _after_floor(self, wall_ms: int) -> bool:
        return wall_ms >= self.floor_ms - APART_MS_MAX

    def _believe(self, now_ms: int, wall_ms: int) -> None:
        self._first = (now_ms, wall_ms)
        self._offset_ms = wall_ms - now_ms
