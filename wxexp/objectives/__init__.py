"""What is learnt.

To add one: a file with `class Mine(Objective)` that refuses in `check` what it cannot use and whose `build(parts)` returns a `Learner`
with all state; its export and its name in `__all__` below; `tests/objectives/test_mine.py` with its facts.
"""

from wxexp.objectives.autoencoding import Autoencoding as Autoencoding
from wxexp.objectives.denoising import Denoising as Denoising
from wxexp.objectives.empirical import Empirical as Empirical
from wxexp.objectives.latent import Latent as Latent
from wxexp.objectives.regression import Regression as Regression
from wxexp.objectives.residual import Residual as Residual

__all__ = ["Autoencoding", "Denoising", "Empirical", "Latent", "Regression", "Residual"]
