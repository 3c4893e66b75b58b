"""Perturbations of initial conditions.

To add one: a file here with a subclass of `wxexp.interfaces.Perturbation`,
one export below, and one test of its own facts in tests/perturbations.
"""

__all__: list[str] = []
