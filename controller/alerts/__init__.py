"""Emergencies: composed, handed to the signer, watched while they sound, cancelled with one touch, renewed."""
