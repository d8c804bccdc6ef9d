"""Copied to the board's root: what MicroPython runs after `boot.py`."""

from hardware.guardian.loop import main

if __name__ == "__main__":
    main()
