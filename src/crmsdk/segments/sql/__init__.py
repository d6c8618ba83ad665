"""Segments as SQL: text for one pass over tables, without any driver."""
