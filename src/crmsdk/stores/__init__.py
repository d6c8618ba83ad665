"""Where people, runs and the outbox are kept: in memory, or in one SQLite file."""
