"""Journeys: definitions, triggers, checks, the pure machine, layout and drawing."""
