"""Units: the dated tree of places, of any depth."""
