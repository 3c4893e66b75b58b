"""Decoders' likelihoods.

To add one: a file here with a subclass of `wxexp.interfaces.Likelihood` (log-probability, quantile, and the moment its scale is fitted
by), one export below, and a case in tests/likelihoods/test_likelihoods.py, whose facts hold for every one.
"""

from wxexp.likelihoods.bounded import Bounded as Bounded
from wxexp.likelihoods.censored_gaussian import CensoredGaussian as CensoredGaussian
from wxexp.likelihoods.gaussian import Gaussian as Gaussian
from wxexp.likelihoods.laplace import Laplace as Laplace

__all__ = ["Bounded", "CensoredGaussian", "Gaussian", "Laplace"]
