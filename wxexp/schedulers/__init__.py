"""Densities of noise levels in training.

To add one: a file with `class Mine(Scheduler)` that gives `gamma`, its inverse `time`, `log_density` = ln |dt/dgamma| and `range`; its
export and its name in `__all__` below; `tests/schedulers/test_mine.py` with its facts. The conformance tests already check the inverse,
the integral and the derivative.
"""

from wxexp.schedulers.log_normal import LogNormal as LogNormal

__all__ = ["LogNormal"]
