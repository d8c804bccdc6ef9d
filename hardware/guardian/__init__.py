"""The guardian: firmware of the supervising microcontroller (RP2040, MicroPython 1.27).

It stands between the computer and the loudspeaker. Its relay lets the computer through while that proves twice a
second that it lives; when the proof stays away for 3 s, the relay lets FM through inside the windows of a plan it
holds, or nothing. `docs/guardian.md` tells the protocol, the wiring and how a board is flashed.

    main, loop  start it on the board and run the control loop
    pico        pins, UART, I2C and watchdog of the RP2040 board: the only module that imports `machine`
    control     one turn of the loop: bytes in, decision, relay and amplifier out
    guard       the decision: who may be heard now
    gate        when FM opens and shuts
    wall_clock  the hour, never guessed
    plan        windows and stations, as bytes and in flash
    computer    the conversation with the computer
    wire        frames, counters and signatures on the UART, for both ends
    message     what the frames hold, for both ends
    relay       break before make
    radio       the tuner's readings
    rtc         the clock chip
    flash       files that survive a power cut
    resets      how often it started, and why

All but `pico` and `loop` also run on CPython, where they are type-checked and where `simulators.guardian` uses the
very same decisions. So they are written in what both interpreters understand: no dataclasses, enums or typing at
run time.
"""
