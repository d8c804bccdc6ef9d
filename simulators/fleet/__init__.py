"""Thousands of real agents in a few processes, against a real controller and a real broker on this machine.

Real are the agent from `run_agent` down to its stores, MQTT over TCP, HTTP, controller, broker and all signatures.
Not real: there is no sound (`LightAudio`), stores lie in memory unless told otherwise and are written at once instead
of by a thread of their own, and hundreds of agents share an interpreter that a device has for itself.
"""
