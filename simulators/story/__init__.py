"""The main story, played unattended: what is approved in the office is heard in the village, and stays heard.

Real programs, sockets and disks; judged on the rendered samples of the horns. One chapter is one module; chapters on
different devices are played at the same time.
"""
