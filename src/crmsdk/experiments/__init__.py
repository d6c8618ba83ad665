"""Experiments: who gets which arm, and who is held out."""
