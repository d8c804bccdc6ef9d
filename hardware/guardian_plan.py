"""The agent's plan in the guardian's own form: what does not fit is left out, so there is less FM, never more."""

from __future__ import annotations

from hardware.guardian.plan import SESSION_MS_MAX, SPAN_MS_MAX, STATIONS_MAX, WINDOWS_MAX, Plan
from hardware.interfaces import GuardPlan


def guarded(plan: GuardPlan) -> Plan:
    """The first windows that fit into eight days, and the first stations."""
    windows = [(one.begin_ms, one.end_ms) for one in plan.windows]
    last_ms = windows[0][0] + SPAN_MS_MAX if windows else 0
    fitting = [(begin, min(end, last_ms)) for begin, end in windows if begin < last_ms][:WINDOWS_MAX]
    stations = [(one.frequency_khz, None if one.pi is None else int(one.pi, 16)) for one in plan.stations]
    return Plan(
        plan.version,
        fitting,
        stations[:STATIONS_MAX],
        rssi_floor_dbuv=plan.rssi_floor_dbuv,
        session_ms_max=min(plan.session_ms_max, SESSION_MS_MAX),
    )
