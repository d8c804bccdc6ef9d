"""A board for MicroPython: the real interpreter (its WebAssembly build) beside a model of the RP2040's parts.

`machine` and `time` here are imported by MicroPython, not by CPython: they take the place of the built-in modules and
keep virtual time. What they need of the world (bytes, chips on the bus) they ask the host for, line by line
(`runner.mjs`; the other end is `simulators.guardian_board`).
"""
