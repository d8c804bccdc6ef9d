"""What is frozen into the firmware: `make BOARD=RPI_PICO FROZEN_MANIFEST=<this file>` in MicroPython's rp2 port.

`hmac` comes from micropython-lib; MicroPython itself brings hashlib, struct and os.
"""
# ruff: noqa: F821 - the names come from MicroPython's makemanifest.py
# mypy: ignore-errors

FILES = ("__init__.py", "si4703.py", "rds.py")
GUARDIAN = (
    "__init__.py",
    "computer.py",
    "control.py",
    "flash.py",
    "gate.py",
    "guard.py",
    "loop.py",
    "message.py",
    "pico.py",
    "plan.py",
    "radio.py",
    "relay.py",
    "resets.py",
    "rtc.py",
    "wall_clock.py",
    "wire.py",
)

include("$(PORT_DIR)/boards/manifest.py")
require("hmac")
package("hardware", files=[*FILES, *("guardian/" + name for name in GUARDIAN)], base_path="../..")
module("main.py", base_path=".")
