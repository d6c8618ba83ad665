"""Exported suites, fakes and strategies, for this library and for everybody who builds on it."""
