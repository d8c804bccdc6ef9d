"""Who may be heard now: the computer while it proves that it lives, FM inside the plan's windows while it does not.

Pure: monotonic milliseconds and news go in, `source`, `amplifier` and `tune_khz` come out. The rules, in order:

1. After a reset nobody is heard. Three beats in a row, none later than 1.5 s after the one before, and the relay is
   the computer's; so an emergency is heard about a second after the computer is back, whatever sounded until then.
2. Silence for 3 s takes the relay from the computer, and the amplifier with it.
3. Without the computer, FM opens inside a window of the plan, at an hour that is known, through the gate. The
   amplifier is on 700 ms before. A station is listened to from 1.5 s of silence on, unless the computer uses the
   tuner.
4. Hold-down: FM that a returning computer has shut stays shut for 60 s, so a computer that dies at every start does
   not flap between programme and station. Nothing holds the computer back.
5. In everything else: silence, amplifier off.
"""

from hardware.guardian.gate import FmGate
from hardware.guardian.message import COMPUTER, FM, SILENCE, WISH_AMPLIFIER, WISH_FM
from hardware.guardian.wall_clock import WallClock

TYPE_CHECKING = False
if TYPE_CHECKING:
    from hardware.guardian.plan import Plan

SILENT_MS_MAX = 3000
LISTEN_AHEAD_MS = 1500
BEAT_GAP_MS_MAX = 1500
GOOD_BEATS = 3
HOLD_DOWN_MS = 60_000
LEAD_IN_MS = 700
LOOK_MS = 100
LOOK_MS_MAX = 60_000


class Guard:
    """Decides; nothing in here waits or touches a pin.

    Args:
        now_ms: when it began.

    Attributes:
        trusted: whether the computer has the relay.
        source: SILENCE, COMPUTER or FM: what the relay shall let through.
        amplifier: whether the amplifier shall be on.
        tune_khz: what the tuner shall be tuned to, None for nothing.
        has_tuner: whether there is a tuner that answers.
        clock: the hour.
        gate: the gate of FM.
    """

    def __init__(self, now_ms: int, *, has_tuner: bool = False, clock: WallClock | None = None) -> None:
        self.trusted = False
        self.source = SILENCE
        self.amplifier = False
        self.tune_khz: int | None = None
        self.has_tuner = has_tuner
        self.clock = clock if clock is not None else WallClock()
        self.gate = FmGate()
        self._plan: Plan | None = None
        self._beat_ms = now_ms
        self._lived_ms = now_ms
        self._good = 0
        self._wishes = 0
        self._asked_khz: int | None = None
        self._held_until_ms = now_ms
        self._amplified_ms: int | None = None

    # What is told.

    def beat(self, now_ms: int, wishes: int, wall_ms: int | None, chip_ms: int | None = None) -> bool:
        """A proof of life; gives whether the told time, if any, was believed."""
        late = now_ms - self._beat_ms > BEAT_GAP_MS_MAX
        self._good = 1 if late else min(self._good + 1, GOOD_BEATS)
        self._beat_ms = now_ms
        if self.trusted:
            self._lived_ms = now_ms
        self._wishes = wishes
        return wall_ms is not None and self.clock.told(now_ms, wall_ms, chip_ms)

    def wish(self, wishes: int) -> None:
        """What the computer wants now; it proves nothing."""
        self._wishes = wishes

    def ask_for(self, frequency_khz: int) -> None:
        """The computer wants the tuner for itself."""
        self._asked_khz = frequency_khz

    def arm(self, plan: "Plan | None") -> None:
        """From now on this plan holds."""
        self._plan = plan
        if plan is None:
            self.gate.shut()

    def reading(self, now_ms: int, frequency_khz: int, rssi_dbuv: int, pi: int | None) -> None:
        """What the tuner measures, twice a second."""
        if self._plan is not None:
            self.gate.observe(now_ms, self._plan, frequency_khz, rssi_dbuv, pi)

    # What is asked.

    def silent_ms(self, now_ms: int) -> int:
        """How long no beat has come."""
        return now_ms - self._beat_ms

    @property
    def plan(self) -> "Plan | None":
        """The plan that holds."""
        return self._plan

    @property
    def plan_version(self) -> int:
        """Of the plan it holds; 0 for none."""
        return 0 if self._plan is None else self._plan.version

    def next_look(self, now_ms: int) -> int:
        """When something may change without news, at the latest: who simulates need not turn before."""
        if self.gate.frequency_khz is not None or (self._amplified_ms is not None and not self.trusted):
            return now_ms + LOOK_MS
        ends = [now_ms + LOOK_MS_MAX, self._held_until_ms, self._lived_ms + SILENT_MS_MAX]
        ends.append(self._beat_ms + LISTEN_AHEAD_MS)
        wall_ms = self.clock.wall_ms(now_ms)
        begin = None if self._plan is None or wall_ms is None else self._plan.next_begin(wall_ms)
        if begin is not None and wall_ms is not None:
            ends.append(now_ms + begin - wall_ms)
        if self._fm_is_allowed(now_ms):
            ends.append(now_ms + 10 * LOOK_MS)
        return min([end for end in ends if end > now_ms])

    # What follows.

    def turn(self, now_ms: int) -> None:
        """Decides anew."""
        if self._is_trusted(now_ms):
            self._give_to_computer(now_ms)
        else:
            self._give_to_fm(now_ms)
        self.tune_khz = self.gate.frequency_khz
        if self.tune_khz is None and self._good:
            self.tune_khz = self._asked_khz

    def _is_trusted(self, now_ms: int) -> bool:
        if now_ms - self._beat_ms >= SILENT_MS_MAX:
            self._good = 0
            return False
        return self.trusted or self._good >= GOOD_BEATS

    def _give_to_computer(self, now_ms: int) -> None:
        if not self.trusted:
            if self.source == FM:
                self._held_until_ms = now_ms + HOLD_DOWN_MS
            self._be_silent()
            self.trusted = True
            self._lived_ms = now_ms
        wants_fm = self._wishes & WISH_FM and self.has_tuner
        self.source = FM if wants_fm else COMPUTER
        self._amplify(now_ms, bool(self._wishes & WISH_AMPLIFIER))
        self._listen_ahead(now_ms)

    def _listen_ahead(self, now_ms: int) -> None:
        """A beat is overdue: the gate may judge a station before it is needed."""
        overdue = now_ms - self._beat_ms >= LISTEN_AHEAD_MS
        if overdue and self._asked_khz is None and self._plan is not None and self._fm_is_allowed(now_ms):
            self.gate.turn(now_ms, self._plan)
        else:
            self.gate.shut()

    def _give_to_fm(self, now_ms: int) -> None:
        if self.trusted:
            self.trusted = False
            self._wishes = 0
            self._asked_khz = None
            self.source = SILENCE
        silent = now_ms - self._lived_ms >= SILENT_MS_MAX
        if not silent or self._plan is None or not self._fm_is_allowed(now_ms):
            self._be_silent()
            return
        self.gate.turn(now_ms, self._plan)
        self._amplify(now_ms, self.gate.good > 0)
        warm = self._amplified_ms is not None and now_ms - self._amplified_ms >= LEAD_IN_MS
        self.source = FM if self.gate.opened_ms is not None and warm else SILENCE

    def _amplify(self, now_ms: int, on: bool) -> None:
        self.amplifier = on
        if not on:
            self._amplified_ms = None
        elif self._amplified_ms is None:
            self._amplified_ms = now_ms

    def _be_silent(self) -> None:
        self.source = SILENCE
        self._amplify(0, False)
        self.gate.shut()

    def _fm_is_allowed(self, now_ms: int) -> bool:
        """Whether plan, hour and hold-down let FM be wanted at all."""
        wall_ms = self.clock.wall_ms(now_ms)
        if self._plan is None or wall_ms is None or not self.has_tuner or now_ms < self._held_until_ms:
            return False
        return self._plan.window_at(wall_ms) is not None
