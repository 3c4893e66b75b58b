"""How far the members' spectrum is from that of the truth."""

from __future__ import annotations

import numpy as np

from wxexp.interfaces import Metric, Row, Statistic, Sums, Total
from wxexp.metrics.ratio import ratio
from wxexp.statistics import Spectrum
from wxexp.statistics.spectra import Window, log_spectral_distance


class LogSpectralDistance(Metric):
    """LSD = sqrt(mean_k (10 log10 P_members(k) / P_truth(k))²) in dB, of spectra averaged over all cases and members; 0 is perfect.

    Spectra are radial averages on the largest box in which every cell is valid, mean removed, Hann window (`Spectrum`, whose sum `box`
    says which). The logarithm is taken of mean spectra (Rabiner and Juang 1993, section 4.5; the radial form of Harris et al. 2022): a
    mean of distances of single cases would punish the sampling noise of each.
    """

    window: Window = "hann"

    def needs(self) -> tuple[Statistic, ...]:
        return (Spectrum(window=self.window),)

    def rows(self, sums: Sums) -> list[Row]:
        spectra = sums[Spectrum(window=self.window)]

        def value(total: Total) -> np.ndarray:
            count = total(spectra["count"])[..., None]
            truth, members = (ratio(total(spectra[name]), count) for name in ("truth", "members"))
            return log_spectral_distance(truth, members)

        return sums.rows("lsd", value, units="dB")
