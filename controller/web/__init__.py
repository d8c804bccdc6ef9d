"""Pages: layout, language, explained errors, live events, and what every form needs."""
