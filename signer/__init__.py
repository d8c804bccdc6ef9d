"""The operator's own signing program."""
