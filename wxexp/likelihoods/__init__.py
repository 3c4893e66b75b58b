"""Decoders' likelihoods.

To add one: a file here with a subclass of `wxexp.interfaces.Likelihood`,
one export below, and one test of its own facts in tests/likelihoods.
"""

__all__: list[str] = []
