"""Tests of the sound path, judged on what the horn would let a village hear."""
