"""Bulletins: written by one person, approved by another, scheduled by a signature."""
