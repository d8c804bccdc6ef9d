"""MicroPython's `time` in virtual time; its ticks wrap around a minute after the first start, to be sure they may."""

from machine import _CALL_US, processor  # type: ignore[import-not-found]

_PERIOD = 1 << 30
_FIRST = _PERIOD - 60_000


def ticks_ms() -> int:
    """Milliseconds, going round."""
    processor.pass_us(_CALL_US)
    return (processor.now_us // 1000 + _FIRST) % _PERIOD  # type: ignore[no-any-return]


def ticks_diff(end: int, begin: int) -> int:
    """From begin to end, across the seam."""
    return (end - begin + _PERIOD // 2) % _PERIOD - _PERIOD // 2


def sleep_ms(duration_ms: int) -> None:
    """Waits; where the host has said so, longer than asked, so that days pass in seconds."""
    processor.pass_us(max(0, duration_ms * 1000, processor.stretch_us))
