"""The agent's decisions as a pure function: no clock, socket, file, thread or random number."""
