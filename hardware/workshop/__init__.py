"""The workshop: a menu at the box for whoever wires and mends it, on a card on which nobody can log in.

It is opened by a file on the card's boot partition and runs instead of the agent; see docs/image.md.
"""
