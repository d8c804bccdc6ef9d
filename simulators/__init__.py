"""The same agent in a made-up world."""
