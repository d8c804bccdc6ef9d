"""Brings sound to one loudness (EBU R 128: -16 LUFS, at most -1 dBTP) and checks what the codec made of it.

The gain comes from a first listening. Only where peaks would then pass the ceiling, a limiter that works on
four-fold oversampled sound holds them. A codec overshoots, so the finished Opus is decoded and measured again; when
it is off, gain or ceiling are corrected and it is encoded anew. Pure gain brings the last resort under the ceiling.

A known lead of silence for decoders that lose the head of Ogg Opus is not added here.
"""

from __future__ import annotations

import itertools
import math
from array import array
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from controller.library import sound
from controller.library.sound import Decoding, Filters, Loudness, Report

TARGET_LUFS: Final = -16.0
PEAK_DB_MAX: Final = -1.0
TOLERANCE_LU: Final = 0.35
_CEILING_DB: Final = -2.0
_CEILING_DB_MIN: Final = -12.0
_OVERSHOOT_DB: Final = 1.5
_EXTRA_GAIN_DB_MAX: Final = 4.0
_ATTEMPTS_MAX: Final = 4

WAVEFORM_POINTS: Final = 800

Tell = Callable[[str, float], None]
"""Told the stage and how many seconds of sound it has done."""


@dataclass(frozen=True, slots=True)
class Levelled:
    """A finished media: how loud it is when decoded, and its outline for the eye."""

    loudness: Loudness
    waveform: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """What is done to the sound: gain, then perhaps a limiter, then perhaps less gain."""

    gain_db: float
    ceiling_db: float | None
    trim_db: float = 0.0

    def filters(self) -> Filters:
        """The plan as filters."""
        made: Filters = (("volume", f"{self.gain_db:.3f}dB:precision=float"),)
        if self.ceiling_db is not None:
            limit = 10 ** (self.ceiling_db / 20)
            made += (
                ("aresample", "192000"),
                ("alimiter", f"limit={limit:.5f}:attack=5:release=60:level=0:latency=1"),
                ("aresample", "48000"),
            )
        if self.trim_db:
            made += (("volume", f"{self.trim_db:.3f}dB:precision=float"),)
        return made


def first_plan(loudness: Loudness) -> Plan:
    """Gain to the target, and a limiter only when peaks may pass the ceiling."""
    gain_db = TARGET_LUFS - loudness.integrated_lufs
    limited = loudness.true_peak_db + gain_db > PEAK_DB_MAX - _OVERSHOOT_DB
    return Plan(gain_db=gain_db, ceiling_db=_CEILING_DB if limited else None)


def next_plan(plan: Plan, result: Loudness, *, gain_db_max: float) -> Plan | None:
    """What to change after listening to the result; None when it is good, or cannot become better."""
    over_db = result.true_peak_db - PEAK_DB_MAX
    off_db = TARGET_LUFS - result.integrated_lufs
    if over_db > 0:
        lower_db = max((plan.ceiling_db or _CEILING_DB) - over_db - 0.2, _CEILING_DB_MIN)
        plan = replace(plan, ceiling_db=lower_db)
    if abs(off_db) <= TOLERANCE_LU:
        return plan if over_db > 0 else None
    # A limiter takes back about a third of what is added.
    gain_db = min(plan.gain_db + off_db * (1.35 if plan.ceiling_db is not None else 1.0), gain_db_max)
    changed = over_db > 0 or not math.isclose(gain_db, plan.gain_db, abs_tol=0.05)
    ceiling_db = _CEILING_DB if plan.ceiling_db is None and off_db > 0 else plan.ceiling_db
    return replace(plan, gain_db=gain_db, ceiling_db=ceiling_db) if changed else None


def level(source: Path, target: Path, *, kind: str, before: Loudness, owner: str, tell: Tell) -> Levelled:
    """Writes the levelled Opus file and gives what it sounds like when decoded.

    Raises:
        SoundRefusedError: the source could be read before and cannot now.
        OSError: the disk is full.
    """
    plan: Plan | None = first_plan(before)
    gain_db_max = TARGET_LUFS - before.integrated_lufs + _EXTRA_GAIN_DB_MAX
    for _ in range(_ATTEMPTS_MAX):
        assert plan is not None
        result = _attempt(source, target, kind=kind, plan=plan, owner=owner, tell=tell)
        last, plan = plan, next_plan(plan, result.loudness, gain_db_max=gain_db_max)
        if plan is None:
            return result
    while (over_db := result.loudness.true_peak_db - PEAK_DB_MAX) > 0:
        last = replace(last, trim_db=last.trim_db - over_db - 0.3)
        result = _attempt(source, target, kind=kind, plan=last, owner=owner, tell=tell)
    return result


def _attempt(source: Path, target: Path, *, kind: str, plan: Plan, owner: str, tell: Tell) -> Levelled:
    with sound.opened(source, kind) as container:
        frames = sound.filtered(sound.decoded(container, Decoding()), plan.filters())
        highest = sound.encode_opus(frames, target, owner=owner, report=_at("levelling", tell))
    return Levelled(loudness=listen(target, tell=tell), waveform=_waveform(highest))


def _waveform(highest: array[int]) -> tuple[int, ...]:
    """At most WAVEFORM_POINTS highest values, 0 to 100, evenly over the whole sound."""
    points = min(WAVEFORM_POINTS, len(highest))
    edges = [index * len(highest) // points for index in range(points + 1)]
    return tuple(max(highest[begin:end]) * 100 // 32_767 for begin, end in itertools.pairwise(edges))


def _at(stage: str, tell: Tell) -> Report:
    return lambda seconds: tell(stage, seconds)


def listen(target: Path, *, tell: Tell) -> Loudness:
    """Loudness of a finished Ogg Opus file."""
    with sound.opened(target, "ogg") as container:
        return sound.measured(sound.decoded(container, Decoding()), _at("checking", tell))
