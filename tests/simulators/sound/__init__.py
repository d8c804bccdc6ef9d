"""Tests of the simulated hardware that sounds, and of the judges of sound."""
