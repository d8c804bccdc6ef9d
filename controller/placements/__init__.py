"""Which loudspeaker belongs where: what waits for a signed word, what is on its way, and what should move."""
