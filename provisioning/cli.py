"""All commands in one program, for whoever calls it from Python; `python -m provisioning` loads one group only."""

from __future__ import annotations

from typing import Final

from provisioning.commands import app_for

app: Final = app_for(())
