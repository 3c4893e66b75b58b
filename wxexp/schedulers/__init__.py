"""Densities of noise levels in training.

To add one: a file with `class Mine(Scheduler)` that gives `gamma`, its inverse `time`, `log_density` = ln |dt/dgamma| and `range`; its
export and its name in `__all__` below; `tests/schedulers/test_mine.py` with its facts. The conformance tests already check the inverse,
the integral and the derivative. Outside a bounded range `time` is 0 or 1 and `log_density` is -inf.
"""

from wxexp.schedulers.adaptive import Adaptive as Adaptive
from wxexp.schedulers.cosine import Cosine as Cosine
from wxexp.schedulers.cosine_interpolated import CosineInterpolated as CosineInterpolated
from wxexp.schedulers.flow_logit_normal import FlowLogitNormal as FlowLogitNormal
from wxexp.schedulers.flow_uniform import FlowUniform as FlowUniform
from wxexp.schedulers.iddpm import Iddpm as Iddpm
from wxexp.schedulers.linear import Linear as Linear
from wxexp.schedulers.log_logistic import LogLogistic as LogLogistic
from wxexp.schedulers.log_normal import LogNormal as LogNormal
from wxexp.schedulers.log_uniform import LogUniform as LogUniform
from wxexp.schedulers.mixture import Mixture as Mixture
from wxexp.schedulers.rho_uniform import RhoUniform as RhoUniform
from wxexp.schedulers.shifted import Shifted as Shifted
from wxexp.schedulers.table import Table as Table
from wxexp.schedulers.truncated import Truncated as Truncated
from wxexp.schedulers.vp import VP as VP

__all__ = [
    "VP",
    "Adaptive",
    "Cosine",
    "CosineInterpolated",
    "FlowLogitNormal",
    "FlowUniform",
    "Iddpm",
    "Linear",
    "LogLogistic",
    "LogNormal",
    "LogUniform",
    "Mixture",
    "RhoUniform",
    "Shifted",
    "Table",
    "Truncated",
]
