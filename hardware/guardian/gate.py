"""FM is a gate, not a default (the rules of the horn, section 4), also while the computer is dead.

It opens for a station of the plan when the signal stands above the floor for several readings and carries the
identity the plan names, if it names one. It shuts when the signal falls away, steps by more than 10 dB, changes its
identity or has been open for its cap; then the next station is tried, and the one that failed is barred for a
while. A station that is open is not left for a better one: nothing flaps between stations.
"""

HYSTERESIS_DB = 3
STEP_DB_MAX = 10
GOOD_READINGS = 2
IDENTITY_WAIT_MS = 8000
SIGNAL_WAIT_MS = 5000
READING_AGE_MS_MAX = 3000
IDENTITY_AGE_MS_MAX = 15_000
"""So long a station that must be identified may go without telling who it is: RDS tells it eleven times a second."""
BARRED_WEAK_MS = 60_000
BARRED_FOREIGN_MS = 600_000

WEAK = "signal_weak"
STEP = "signal_step"
IDENTITY = "identity_wrong"
NO_IDENTITY = "identity_missing"
CAP = "open_too_long"
NO_READING = "tuner_silent"

TYPE_CHECKING = False
if TYPE_CHECKING:
    from hardware.guardian.plan import Plan


class FmGate:
    """Judges readings; all times are monotonic ms.

    Attributes:
        frequency_khz: what is to be tuned to and measured, None for nothing.
        opened_ms: since when it is open, None while it is shut.
        good: how many good readings came in a row.
        refused: why it shut or stayed shut the last time.
    """

    def __init__(self) -> None:
        self.frequency_khz: int | None = None
        self.opened_ms: int | None = None
        self.good = 0
        self.refused = ""
        self._since_ms = 0
        self._measured_ms = 0
        self._rssi_dbuv: int | None = None
        self._pi: int | None = None
        self._identified_ms = 0
        self._barred: dict[int, int] = {}

    def shut(self) -> None:
        """Nobody wants FM; what is barred stays barred."""
        self.frequency_khz = None
        self.opened_ms = None
        self.good = 0

    def turn(self, now_ms: int, plan: "Plan") -> None:
        """FM is wanted: keeps to its station while that holds, else goes on to the next."""
        station = self._station(plan)
        if station is None:
            self._next(now_ms, plan)
            return
        reason = self._expired(now_ms, plan, station[1])
        if reason:
            self._bar(now_ms, plan, reason)

    def observe(self, now_ms: int, plan: "Plan", frequency_khz: int, rssi_dbuv: int, pi: int | None) -> None:
        """Takes a reading; opens, keeps or shuts."""
        station = self._station(plan)
        if station is None or frequency_khz != station[0]:
            return
        reason = self._wrong(plan, station[1], rssi_dbuv, pi)
        if reason:
            self._bar(now_ms, plan, reason)
            return
        floor = plan.rssi_floor_dbuv + HYSTERESIS_DB
        self.good = self.good + 1 if rssi_dbuv >= floor else 0
        self._rssi_dbuv = rssi_dbuv
        self._measured_ms = now_ms
        if pi is not None:
            self._pi = pi
            self._identified_ms = now_ms
        identified = station[1] is None or self._pi == station[1]
        if self.opened_ms is None and self.good >= GOOD_READINGS and identified:
            self.opened_ms = now_ms
            self.refused = ""

    def _station(self, plan: "Plan") -> tuple[int, int | None] | None:
        for station in plan.stations:
            if station[0] == self.frequency_khz:
                return station
        return None

    def _next(self, now_ms: int, plan: "Plan") -> None:
        """Goes to the first station that is not barred."""
        self.shut()
        self._rssi_dbuv = None
        self._pi = None
        for khz, _ in plan.stations:
            if self._barred.get(khz, now_ms) <= now_ms:
                self.frequency_khz = khz
                self._since_ms = now_ms
                self._measured_ms = now_ms
                return

    def _expired(self, now_ms: int, plan: "Plan", pi: int | None) -> str:
        """What has taken too long, if anything."""
        waited_ms = now_ms - self._since_ms
        if self.opened_ms is not None:
            if now_ms - self._measured_ms >= READING_AGE_MS_MAX:
                return NO_READING
            if pi is not None and now_ms - self._identified_ms >= IDENTITY_AGE_MS_MAX:
                return NO_IDENTITY
            return CAP if now_ms - self.opened_ms >= plan.session_ms_max else ""
        if self.good >= GOOD_READINGS and pi is not None:
            return NO_IDENTITY if waited_ms >= IDENTITY_WAIT_MS else ""
        return WEAK if waited_ms >= SIGNAL_WAIT_MS else ""

    def _wrong(self, plan: "Plan", wanted_pi: int | None, rssi_dbuv: int, pi: int | None) -> str:
        """What a reading says against the station, if anything."""
        known = self._pi if wanted_pi is None else wanted_pi
        if pi is not None and known is not None and pi != known:
            return IDENTITY
        if self.opened_ms is None or self._rssi_dbuv is None:
            return ""
        if rssi_dbuv < plan.rssi_floor_dbuv - HYSTERESIS_DB:
            return WEAK
        return STEP if abs(rssi_dbuv - self._rssi_dbuv) > STEP_DB_MAX else ""

    def _bar(self, now_ms: int, plan: "Plan", reason: str) -> None:
        duration_ms = BARRED_WEAK_MS if reason in (WEAK, NO_IDENTITY, NO_READING) else BARRED_FOREIGN_MS
        assert self.frequency_khz is not None, "only what is tuned to is judged"
        self._barred = {khz: until for khz, until in self._barred.items() if until > now_ms}
        self._barred[self.frequency_khz] = now_ms + duration_ms
        self.refused = reason
        self._next(now_ms, plan)
