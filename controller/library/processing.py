"""From a file that somebody sent to a media that may be broadcast; or a reason why not.

Runs in the worker process (`controller.library.worker`), because decoders of foreign bytes are the likeliest part to
crash; it can equally be called directly.
"""

from __future__ import annotations

import errno
from pathlib import Path
from typing import Any

from av.stream import Disposition

from controller.library.container import ends_in_the_middle, kind_of, reason_unreadable, tells_length
from controller.library.domain import Processed
from controller.library.levelling import Levelled, Tell, level
from controller.library.refusal import Reason, SoundRefusedError
from controller.library.sound import Decoding, Loudness, decoded, measured, opened
from protocol.limits import MEDIA_BYTES_MAX, MEDIA_DURATION_MS_MAX

DURATION_MS_MIN = 500
SILENT_LUFS = -60.0
_MISSING_MS_MAX = 150
"""Encoders count up to some frames of their own padding into the length they write."""

_MICROSECONDS = 1000


def process(source: Path, target: Path, *, owner: str, tell: Tell) -> Processed:
    """Checks the source, levels it and writes Ogg Opus to the target.

    Raises:
        SoundRefusedError: it cannot be broadcast; the target may be half written and is of no use.
    """
    try:
        kind = kind_of(source)
        before = check(source, kind=kind, tell=tell)
        return _described(level(source, target, kind=kind, before=before, owner=owner, tell=tell), before, target)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            raise SoundRefusedError(Reason.DISK_FULL) from error
        raise SoundRefusedError(Reason.DAMAGED) from error


def check(source: Path, *, kind: str, tell: Tell) -> Loudness:
    """Listens to the whole source.

    Raises:
        SoundRefusedError: it is not whole, not sound, too long, too short or silent.
    """
    with opened(source, kind) as container:
        claimed_ms = (container.duration or 0) // _MICROSECONDS if tells_length(source, kind) else 0
        _check_streams(container)
        _check_longest(claimed_ms)
        met = Decoding()
        loudness = measured(decoded(container, met), _bounded(tell))
    if loudness.samples == 0:
        raise SoundRefusedError(reason_unreadable(source, kind), looks_like="unknown", seconds=0)
    _check_whole(loudness, met, claimed_ms=claimed_ms, cut=ends_in_the_middle(source, kind))
    if loudness.duration_ms < DURATION_MS_MIN:
        raise SoundRefusedError(Reason.TOO_SHORT)
    if loudness.integrated_lufs <= SILENT_LUFS:
        raise SoundRefusedError(Reason.SILENT)
    return loudness


def _check_streams(container: Any) -> None:
    moving = [one for one in container.streams.video if not one.disposition & Disposition.attached_pic]
    if moving:
        raise SoundRefusedError(Reason.VIDEO)
    if not container.streams.audio:
        raise SoundRefusedError(Reason.NOT_AUDIO, looks_like="unknown")


def _check_longest(duration_ms: float) -> None:
    if duration_ms > MEDIA_DURATION_MS_MAX:
        raise SoundRefusedError(Reason.TOO_LONG, hours_max=MEDIA_DURATION_MS_MAX // 3_600_000)


def _bounded(tell: Tell) -> Any:
    def report(seconds: float) -> None:
        _check_longest(seconds * 1000)
        tell("listening", seconds)

    return report


def _check_whole(loudness: Loudness, met: Decoding, *, claimed_ms: int, cut: bool) -> None:
    if cut or met.damaged_at_end or claimed_ms - loudness.duration_ms > _MISSING_MS_MAX:
        raise SoundRefusedError(Reason.CUT_OFF, seconds=loudness.duration_ms // 1000)
    if met.broken:
        raise SoundRefusedError(Reason.DAMAGED)


def _described(result: Levelled, before: Loudness, target: Path) -> Processed:
    size_bytes = target.stat().st_size
    if size_bytes > MEDIA_BYTES_MAX:
        _check_longest(MEDIA_DURATION_MS_MAX + 1)
    return Processed(
        duration_ms=min(result.loudness.duration_ms, MEDIA_DURATION_MS_MAX),
        size_bytes=size_bytes,
        loudness_in_cdb=round(before.integrated_lufs * 100),
        loudness_out_cdb=round(result.loudness.integrated_lufs * 100),
        peak_out_cdb=round(result.loudness.true_peak_db * 100),
        waveform=result.waveform,
    )
