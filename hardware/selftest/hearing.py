"""The microphone: its noise floor, hum of the mains, and the level of a voice."""

from __future__ import annotations

import asyncio
from typing import Final

from hardware.i18n import gettext as _
from hardware.interfaces import FRAME_MS, SoundSource
from hardware.selftest.bench import Bench
from hardware.selftest.finding import Figure, Finding, Result
from hardware.selftest.sweep import FLOOR_DBFS, amplitude, dbfs, rms_dbfs, unpacked

_SETTLE_FRAMES: Final = 15
_FLOOR_FRAMES: Final = 100
_VOICE_FRAMES: Final = 250
_HUM_HZ: Final = (50, 100, 150)
_HUM_FRAMES: Final = 10
"""0.2 s are ten periods of 50 Hz, so its neighbours at 5 Hz distance stay out."""
_LOUD_FLOOR_DBFS: Final = -40.0
_HUM_DBFS: Final = -50.0
_VOICE_ABOVE_DB: Final = 15.0
_CLIPPED: Final = 32_700


async def try_microphone(bench: Bench) -> Finding:
    """Listens to the empty room, then to the technician if there is one."""
    if bench.parts.microphone is None:
        return Finding(Result.ABSENT, _("There is no microphone."))
    if bench.technician.present:
        bench.technician.say(_("Be quiet for two seconds, please …"))
        await asyncio.sleep(0.5)
    source = await bench.parts.microphone.open()
    try:
        await _frames(source, _SETTLE_FRAMES)
        figures = _floor(await _frames(source, _FLOOR_FRAMES))
        if bench.technician.present:
            bench.technician.say(_("Now speak into the microphone for five seconds, as for an announcement …"))
            figures |= _voice(await _frames(source, _VOICE_FRAMES))
    finally:
        await source.close()
    result, advice = _judged(figures)
    return Finding(result, _found(figures), advice, figures)


async def _frames(source: SoundSource, count: int) -> list[int]:
    samples: list[int] = []
    for _frame in range(count):
        frame = await source.read()
        if frame is None:
            break
        samples += unpacked(frame)
    return samples


def _floor(samples: list[int]) -> dict[str, Figure]:
    mean = sum(samples) / max(len(samples), 1)
    steady = [one - round(mean) for one in samples]
    return {
        "heard_ms": len(samples) // 48,
        "noise_dbfs": round(rms_dbfs(steady), 1),
        "hum_dbfs": round(max(_hum_dbfs(steady, hz) for hz in _HUM_HZ), 1),
        "offset_percent": round(100 * mean / 32_768, 2),
        "digital_silence": not any(samples),
    }


def _hum_dbfs(samples: list[int], frequency_hz: int) -> float:
    """The quietest of several looks: hum is there all the time, a door is not."""
    step = _HUM_FRAMES * 48 * FRAME_MS
    looks = [samples[at : at + step] for at in range(0, len(samples) - step + 1, step)]
    return min((dbfs(amplitude(one, frequency_hz)) for one in looks), default=FLOOR_DBFS)


def _voice(samples: list[int]) -> dict[str, Figure]:
    step = 48 * 200
    levels = sorted(rms_dbfs(samples[at : at + step]) for at in range(0, len(samples) - step + 1, step))
    clipped = sum(abs(one) >= _CLIPPED for one in samples)
    return {
        "voice_dbfs": round(levels[len(levels) * 9 // 10], 1) if levels else FLOOR_DBFS,
        "clipped_samples": clipped,
    }


def _found(figures: dict[str, Figure]) -> str:
    words = _("noise %(noise)s dBFS, hum %(hum)s dBFS")
    found = words % {"noise": figures["noise_dbfs"], "hum": figures["hum_dbfs"]}
    if "voice_dbfs" in figures:
        found += ", " + _("voice %(voice)s dBFS") % {"voice": figures["voice_dbfs"]}
    return found


def _judged(figures: dict[str, Figure]) -> tuple[Result, str]:
    if figures["digital_silence"] or not figures["heard_ms"]:
        return Result.FAIL, _("Not one sample moves: the input is muted, or nothing is plugged into the card.")
    if "voice_dbfs" in figures:
        if float(figures["voice_dbfs"]) < float(figures["noise_dbfs"]) + _VOICE_ABOVE_DB:
            return Result.FAIL, _("The voice hardly stands out: check plug, switch and supply of the microphone.")
        if int(figures["clipped_samples"]) > 48:
            return Result.WARN, _("It is overdriven: turn its gain down with alsamixer.")
    if float(figures["hum_dbfs"]) > _HUM_DBFS:
        return Result.WARN, _("It hums: use a shielded, balanced cable, earth its shield at one end only.")
    if float(figures["noise_dbfs"]) > _LOUD_FLOOR_DBFS:
        return Result.WARN, _("It is noisy: turn the gain down, and keep the cable away from supplies.")
    return Result.OK, ""
