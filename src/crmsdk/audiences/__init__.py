"""Audiences: segments over millions of people, by the database that holds them."""
