"""One device of the story as a whole computer: an emulated arm64 machine with the card in it and systemd as its init.

Inside runs what a real card has, with a simulated board (`board_door`) and a hand (`hand`). Outside are the offices,
the network with its faults, the buttons and the ears; `device` stands there for the device, as `SimDevice` does.
"""
