"""Network faults between real processes: agent, controller and mosquitto, and what the rules of the horn promise."""
