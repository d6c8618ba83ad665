"""How each database writes the few things that differ."""
