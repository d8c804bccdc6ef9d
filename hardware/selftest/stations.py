"""The tuner: every station of the band that can be received here, with its strength and its RDS name."""

from __future__ import annotations

from hardware.i18n import gettext as _
from hardware.selftest.bench import Bench
from hardware.selftest.finding import Figure, Finding, Result
from hardware.selftest.parts import Station

_WEAK_DBUV = 30


async def try_tuner(bench: Bench) -> Finding:
    """Scans the band once."""
    if bench.parts.scan is None:
        return Finding(Result.ABSENT, _("There is no FM tuner."))
    found = await bench.parts.scan()
    strong = [one for one in found if one.rssi_dbuv >= _WEAK_DBUV]
    figures: dict[str, Figure] = {"stations": len(found), "strong_stations": len(strong)}
    figures |= {"strongest_dbuv": max((one.rssi_dbuv for one in found), default=0)}
    figures |= {"with_rds": sum(bool(one.pi) for one in found)}
    words = _("stations: %(count)d, strong: %(strong)d")
    told = words % {"count": len(found), "strong": len(strong)}
    if not found:
        advice = _("Check the antenna's plug and cable, and put it outside the box.")
        return Finding(Result.FAIL, told, advice, figures)
    if not strong:
        advice = _("All are weak: a higher antenna, away from the computer and its supply, hears more.")
        return Finding(Result.WARN, told, advice, figures, rows=_rows(found))
    return Finding(Result.OK, told, "", figures, rows=_rows(found))


def _rows(found: tuple[Station, ...]) -> tuple[tuple[str, ...], ...]:
    heading = ("MHz", "dBµV", "PI", "PS")
    return heading, *((_mhz(one), str(one.rssi_dbuv), one.pi or "–", _shown(one.ps) or "–") for one in found)


def _mhz(one: Station) -> str:
    return f"{one.frequency_khz / 1000:.1f}"


def _shown(name: str) -> str:
    """A name from the air: it must not steer the terminal."""
    return "".join(one for one in name if one.isprintable()).strip()
