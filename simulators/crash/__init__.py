"""Power cuts and kills: what a card holds afterwards, and what the real stores and processes make of it.

`recorder` and `sqlite_vfs` write down what is done to a directory, `cuts` makes every card that a power cut could
have left of it, the stories let the real core and the real stores do their work and say what must hold when they
start again, `trial` goes through them all. `python -m simulators.crash` does so at random, for as long as one likes.
"""
