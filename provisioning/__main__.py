"""`python -m provisioning`."""

from __future__ import annotations

import sys

from provisioning.commands import app_for

if __name__ == "__main__":
    app_for(sys.argv[1:])(prog_name="python -m provisioning")
