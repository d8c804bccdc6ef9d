"""Hand-over to the signer, acceptance of what it signed, and publishing of the documents in force."""
