"""What a grant may allow."""

from __future__ import annotations

from enum import StrEnum


class Verb(StrEnum):
    """The acts of trust.md; `alert.wide` is an alert to more than one unit."""

    SCHEDULE = "schedule"
    CONFIGURE = "configure"
    LIVE = "live"
    ALERT = "alert"
    ALERT_WIDE = "alert.wide"
    STOP = "stop"
    GRANT = "grant"
    ASSIGN = "assign"
