"""Drivers of real boards; they know nothing of schedules."""
