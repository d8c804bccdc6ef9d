"""The disk: is it writable, how fast does it make things durable, how full and how worn is it?

What matters to an agent is not megabytes a second but the slowest fsync: every document is made durable before it is
obeyed, and a worn card answers in seconds. The probe writes 0.7 MB and 8 MB, nothing against its daily budget.
"""

from __future__ import annotations

import asyncio
import os
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from hardware.i18n import gettext as _
from hardware.selftest.bench import Bench
from hardware.selftest.finding import Figure, Finding, Result

_BLOCK_BYTES: Final = 4096
_SYNCS_MAX: Final = 60
_BUDGET_S: Final = 8.0
_STREAM_BYTES: Final = 8 * 1024 * 1024
_SLOW_P99_MS: Final = 250.0
_DYING_P99_MS: Final = 2000.0
_FREE_MB_LOW: Final = 256
_FREE_MB_MIN: Final = 32
_MB: Final = 1024 * 1024
_WORN_AT: Final = 9
"""life_time: 0x01 is up to 10 % used, 0x0A up to 100 %, 0x0B exceeded; JEDEC JESD84-B51, 7.4.19 EXT_CSD[268, 269]."""
_PRE_EOL: Final = {1: "normal", 2: "warning", 3: "urgent"}
"""pre_eol_info: reserve blocks used; warning is 80 %, urgent 90 %; JEDEC JESD84-B51, EXT_CSD[267]."""


async def try_disk(bench: Bench) -> Finding:
    """Durable writes in the data directory, its room, and what the card and the file system tell about their wear."""
    speed = await asyncio.to_thread(measure_speed, bench.data)
    figures = {**speed, **_room(bench.data), **wear(bench.system)}
    result, advice = _judged(figures)
    words = _("fsync %(p50)s ms, at worst %(p99)s ms; writes %(speed)s MB/s; %(free)d MB free")
    found = words % {
        "p50": figures["fsync_p50_ms"],
        "p99": figures["fsync_p99_ms"],
        "speed": figures["write_mb_per_s"],
        "free": figures["free_mb"],
    }
    used = figures.get("life_used_percent")
    if used is not None:
        found += " · " + _("up to %(used)d %% of its life used") % {"used": used}
    return Finding(result, found, advice, figures)


def measure_speed(directory: Path) -> dict[str, Figure]:
    """Latency of small durable writes and the speed of a long one, in a file that vanishes. Raises OSError."""
    with tempfile.NamedTemporaryFile(dir=directory, prefix=".selftest-") as file:
        number = file.fileno()
        syncs_ms = sorted(_syncs(number))
        began = time.perf_counter()
        for _part in range(_STREAM_BYTES // _MB):
            os.write(number, os.urandom(_MB))
            if time.perf_counter() - began > _BUDGET_S:
                break
        os.fsync(number)
        written = os.fstat(number).st_size - len(syncs_ms) * _BLOCK_BYTES
        speed = written / _MB / (time.perf_counter() - began)
    return {
        "fsync_p50_ms": round(syncs_ms[len(syncs_ms) // 2], 2),
        "fsync_p99_ms": round(syncs_ms[min(len(syncs_ms) - 1, len(syncs_ms) * 99 // 100)], 2),
        "fsyncs": len(syncs_ms),
        "write_mb_per_s": round(speed, 1),
    }


def _syncs(number: int) -> Iterator[float]:
    until = time.perf_counter() + _BUDGET_S
    for _number in range(_SYNCS_MAX):
        began = time.perf_counter()
        os.write(number, os.urandom(_BLOCK_BYTES))
        os.fsync(number)
        ended = time.perf_counter()
        yield (ended - began) * 1000
        if ended > until:
            return


def _room(directory: Path) -> dict[str, Figure]:
    room = os.statvfs(directory)
    return {"free_mb": room.f_bavail * room.f_frsize // _MB, "free_files": room.f_favail}


@dataclass(frozen=True, slots=True)
class _Card:
    name: str
    figures: dict[str, Figure]


def wear(system: Path) -> dict[str, Figure]:
    """What eMMC chips and ext4 tell about themselves; SD cards keep their wear a secret.

    Args:
        system: the root directory; another one in tests.
    """
    figures: dict[str, Figure] = {}
    for device in sorted((system / "sys/block").glob("mmcblk*/device"))[:4]:
        figures |= _card(device)
    written_kb = [_number(path) for path in sorted((system / "sys/fs/ext4").glob("*/lifetime_write_kbytes"))[:16]]
    known_kb = [one for one in written_kb if one is not None]
    if known_kb:
        figures["ext4_lifetime_write_mb"] = sum(known_kb) // 1024
    return figures


def _card(device: Path) -> dict[str, Figure]:
    figures: dict[str, Figure] = {}
    life = [int(one, 16) for one in _text(device / "life_time").split() if _is_hexadecimal(one)]
    if any(life):
        figures["life_used_percent"] = min(max(life), 11) * 10
    pre_eol = _text(device / "pre_eol_info")
    if _is_hexadecimal(pre_eol) and int(pre_eol, 16) in _PRE_EOL:
        figures["pre_eol"] = _PRE_EOL[int(pre_eol, 16)]
    for name in ("name", "type", "date"):
        if text := _text(device / name):
            figures[f"card_{name}"] = text
    return figures


def _text(path: Path) -> str:
    try:
        with path.open(errors="replace") as file:
            text = file.read(64).strip()
    except OSError:
        return ""
    return text if text.isprintable() else ""


def _is_hexadecimal(text: str) -> bool:
    try:
        return 0 <= int(text, 16) <= 0xFF
    except ValueError:
        return False


def _number(path: Path) -> int | None:
    text = _text(path)
    return int(text) if text.isascii() and text.isdigit() else None


def _judged(figures: dict[str, Figure]) -> tuple[Result, str]:
    slowest_ms, free_mb = float(figures["fsync_p99_ms"]), int(figures["free_mb"])
    if free_mb < _FREE_MB_MIN:
        return Result.FAIL, _("Free some room: nothing new can be stored.")
    if slowest_ms > _DYING_P99_MS or figures.get("pre_eol") == "urgent":
        return Result.FAIL, _("The card is dying. Copy device.json, the keys and the data to a new one today.")
    if int(figures.get("life_used_percent", 0)) >= _WORN_AT * 10 or figures.get("pre_eol") == "warning":
        return Result.WARN, _("The card is nearly worn out. Plan to replace it.")
    if slowest_ms > _SLOW_P99_MS:
        return Result.WARN, _("The card is slow. Use one of class A1 or A2, made for long use.")
    if free_mb < _FREE_MB_LOW:
        return Result.WARN, _("There is little room left.")
    return Result.OK, ""
