"""The self-test of a board: `python -m hardware.selftest`, for the technician at the pole and CI on a mock board.

Each trial looks at one part, alone and within its time, and says whether it is well, what was measured, what to do,
and what is lost without the part. Nothing sounds unasked, and by night nothing sounds without a word of its own. See
`hardware.selftest.options` for the command, `hardware.selftest.trials` for the list.
"""
