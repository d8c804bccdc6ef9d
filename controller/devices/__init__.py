"""Devices: who is enrolled, how each one is, what it tells, and how far each document has come on it."""
