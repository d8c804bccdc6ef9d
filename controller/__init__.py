"""The web service through which people speak to villages."""
