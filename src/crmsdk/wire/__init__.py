"""The door: what comes from outside becomes values here, or an error. The only door to pydantic."""
