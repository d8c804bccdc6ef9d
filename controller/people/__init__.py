"""People: accounts, roles within units, sessions and sign-in."""
