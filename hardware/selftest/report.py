"""The findings for machines: one JSON object, written in one act."""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from hardware.selftest.finding import Judged, Result

SCHEMA: Final = 1


def worst_of(all_judged: Iterable[Judged]) -> Result:
    """FAIL if one has failed, else WARN if one warns, else OK."""
    results = {one.finding.result for one in all_judged}
    return next((one for one in (Result.FAIL, Result.WARN) if one in results), Result.OK)


def report_of(all_judged: Iterable[Judged], *, device: str, board: str, made_at: datetime) -> dict[str, Any]:
    """The object that `--json` writes. Sentences are in the language of the run, names and figures in none."""
    judged = tuple(all_judged)
    return {
        "schema": SCHEMA,
        "made_at": made_at.isoformat(timespec="seconds"),
        "device": device,
        "board": board,
        "result": str(worst_of(judged)),
        "trials": [_trial_of(one) for one in judged],
    }


def _trial_of(one: Judged) -> dict[str, Any]:
    return {
        "name": one.trial.name,
        "result": str(one.finding.result),
        "found": one.finding.found,
        "advice": one.finding.advice,
        "figures": dict(one.finding.figures),
        "rows": [list(row) for row in one.finding.rows],
        "took_ms": one.took_ms,
    }


def check_writable(path: Path) -> None:
    """Before the trials: nobody should lose half an hour to a folder that is not there. Raises OSError."""
    fresh = _fresh(path)
    fresh.touch()
    fresh.unlink()
    if path.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))


def _fresh(path: Path) -> Path:
    return path.with_name(f".{path.name}.new")


def write_report(path: Path, report: dict[str, Any]) -> None:
    """Writes it whole or not at all. Raises OSError."""
    fresh = _fresh(path)
    with fresh.open("w", encoding="utf-8") as file:
        json.dump(report, file, ensure_ascii=False, indent=1)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
