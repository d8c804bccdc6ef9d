"""The wiring drawings and tables of the handbook, made from the same board files that a device reads.

`script/wiring` writes `docs/wiring/*.svg` and the tables within `docs/wiring.md` and `docs/wiring.vi.md`; a test
fails when what is committed is not what would be made.
"""
