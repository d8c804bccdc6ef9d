"""Every bound on what comes from outside, in one place.

A bound is checked before the work it bounds: a size before parsing, a count before a loop.
"""

from __future__ import annotations

from typing import Final

# Envelopes, by what they carry. An alert must cross a slow 4G link at once; a schedule may be a whole quarter.
ALERT_ENVELOPE_BYTES_MAX: Final = 8 * 1024
ENVELOPE_BYTES_MAX: Final = 512 * 1024
PARCEL_BYTES_MAX: Final = 1024 * 1024
REPORT_BYTES_MAX: Final = 64 * 1024
CONFIRMATION_BYTES_MAX: Final = 32 * 1024
SIGNATURES_MAX: Final = 8
ENVELOPES_IN_PARCEL_MAX: Final = 64

# Values inside documents.
INTEGER_MAX: Final = 2**53 - 1
TEXT_CHARS_MAX: Final = 200
ALERT_TEXT_CHARS_MAX: Final = 500
PARTS_MAX: Final = 4
TARGETS_MAX: Final = 256
ITEMS_MAX: Final = 1000
STARTS_MAX: Final = 400
EXCEPTIONS_MAX: Final = 400
WINDOWS_MAX: Final = 16
STATIONS_MAX: Final = 16
MESSAGES_MAX: Final = 3
STREAM_ADDRESS_CHARS_MAX: Final = 300
KEYS_MAX: Final = 16
UNIT_DEPTH_MAX: Final = 8
UNIT_SEGMENT_CHARS_MAX: Final = 32
JSON_DEPTH_MAX: Final = 16
JSON_VALUES_MAX: Final = 100_000
REPORT_LEVELS_MAX: Final = 900
CONFIRMED_MAX: Final = 500

# Life of documents (trust.md).
ALERT_LIFETIME_MS_MAX: Final = 30 * 60 * 1000
SCHEDULE_LIFETIME_MS_MAX: Final = 92 * 86_400_000
STOP_MS_MAX: Final = 86_400_000
LIVE_LIFETIME_MS_MAX: Final = 4 * 3_600_000
CLOCK_SKEW_MS_MAX: Final = 2 * 60 * 1000
WALL_MS_MAX: Final = 4_102_444_800_000
"""The year 2100: no clock that says more is believed; calendars end soon after."""
GRANT_CHAIN_MAX: Final = 6
GRANTS_HELD_MAX: Final = 64
DENIED_MAX: Final = 64
PLACEMENTS_MAX: Final = 1000
LOG_KEY_BYTES: Final = 32

# Alerts cross two paths and may arrive out of order; numbers this far behind the newest are still looked at.
SEQUENCE_WINDOW: Final = 64

# Media.
MEDIA_BYTES_MAX: Final = 64 * 1024 * 1024
MEDIA_DURATION_MS_MAX: Final = 4 * 3_600_000
LIVE_SEGMENT_BYTES_MAX: Final = 16 * 1024
LIVE_SEGMENT_MS_MAX: Final = 1000
