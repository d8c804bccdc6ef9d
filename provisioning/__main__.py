"""`python -m provisioning`."""

from __future__ import annotations

from provisioning.cli import app

if __name__ == "__main__":
    app(prog_name="python -m provisioning")
