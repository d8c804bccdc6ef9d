"""Who may speak: grants as people read them, their renewal and end, and warnings before one runs out."""
