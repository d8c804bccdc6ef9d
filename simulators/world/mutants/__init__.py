"""The judges judged: the agent is broken on purpose in many ways, and each break has to be noticed in a world.

A break that lives through the worlds says that a rule is not held by any checker, or that no fault of the world leads
there. See `mutant` for what a break is, `breaks_*` for all of them, and `hunt` for the search.
"""
