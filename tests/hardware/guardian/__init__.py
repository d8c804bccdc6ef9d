"""The guardian: its firmware under the real interpreter, piece by piece and as a village hears it."""
