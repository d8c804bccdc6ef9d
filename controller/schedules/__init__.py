"""What will sound when: occurrences, collisions, reach, the week's calendar and the next 24 hours."""
