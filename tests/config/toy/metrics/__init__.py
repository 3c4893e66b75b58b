from toy.metrics.crps import CRPS as CRPS
from toy.metrics.crps import Brier as Brier

__all__ = ["CRPS", "Brier"]
