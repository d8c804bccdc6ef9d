"""The log of everything that was distributed, and what devices obeyed without it being there."""
