"""The agent that drives one loudspeaker cluster: a pure core, thin ports, and a runner between them."""
