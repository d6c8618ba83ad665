"""Benchmarks: our code and a peer's, side by side in one run.

``make bench`` runs all, ``make bench of=policy`` one topic. A topic is a folder here; each of its modules
holds :class:`bench.frame.Bench` values made by :func:`bench.frame.versus` or :func:`bench.frame.within`.
"""
