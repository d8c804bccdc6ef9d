"""Waiting between tries: longer each time, never the same on two devices, and for ever."""

from __future__ import annotations

from collections.abc import Callable

from edge.chance import chance

LOW_S = 1.0
HIGH_S = 300.0


class Backoff:
    """Doubles from `low_s` to `high_s`; each wait is drawn from the upper half, so no village returns at once."""

    def __init__(
        self,
        *,
        low_s: float = LOW_S,
        high_s: float = HIGH_S,
        draw: Callable[[float, float], float] | None = None,
    ) -> None:
        self._low_s, self._high_s = low_s, max(low_s, high_s)
        self._limit_s = low_s
        self._draw = draw or chance().uniform

    def next_s(self) -> float:
        """Seconds to wait before the next try."""
        limit_s = self._limit_s
        self._limit_s = min(limit_s * 2, self._high_s)
        return self._draw(limit_s / 2, limit_s)

    def reset(self) -> None:
        """The last try went well."""
        self._limit_s = self._low_s
