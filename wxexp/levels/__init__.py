"""The noise levels a sampler steps through.

To add one: a file with `class Mine(Levels)` whose `gamma(steps)` gives exactly `steps` increasing float64 log-SNRs, noisy to clean; its
export and its name in `__all__` below; `tests/levels/test_mine.py` with its facts. The conformance tests already run over it.
"""

from wxexp.levels.cosine import Cosine as Cosine
from wxexp.levels.exponential import Exponential as Exponential
from wxexp.levels.karras import Karras as Karras
from wxexp.levels.linear import Linear as Linear
from wxexp.levels.log_normal import LogNormal as LogNormal
from wxexp.levels.polyexponential import Polyexponential as Polyexponential
from wxexp.levels.quantiles import Quantiles as Quantiles
from wxexp.levels.vp import VP as VP

__all__ = ["VP", "Cosine", "Exponential", "Karras", "Linear", "LogNormal", "Polyexponential", "Quantiles"]
