"""Where contacts are counted: in memory, or in one SQLite file that all processes of a machine share."""
