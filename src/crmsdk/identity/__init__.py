"""Identity: which customer a set of names means."""
