"""The signer, through its own pages and with a controller that really answers."""
