"""A made-up province in virtual time: real agents, a real controller's decisions, and everything that can go wrong.

One seed gives one run, on any machine. The plan of what happens is data (`plan`), the models let it happen, the trace
tells what did, and `checkers` hold it against the rules of the horn.
"""
