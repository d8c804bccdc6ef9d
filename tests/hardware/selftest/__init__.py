"""The self-test: what it finds, what it lets sound, and how it tells."""
