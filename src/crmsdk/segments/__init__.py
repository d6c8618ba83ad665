"""Segments: one question about a customer, asked as data, answered with its reason and its expiry."""
