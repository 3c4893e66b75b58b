"""How far the members' spectrum on the sphere is from that of the truth."""

from __future__ import annotations

import numpy as np

from wxexp.interfaces import Metric, Row, Statistic, Sums, Total
from wxexp.metrics.ratio import ratio
from wxexp.statistics import SphericalSpectrum
from wxexp.statistics.spectra import log_spectral_distance


class SphericalSpectralDistance(Metric):
    """sqrt(mean_l (10 log10 C_l,members / C_l,truth)²) in dB over degrees l ≥ 1, of spectra averaged over cases and members; 0 is perfect.

    The row `lsd_spherical`, of whole-globe groups of a global latitude-longitude grid (`SphericalSpectrum`); NaN for others. No window and
    no box is needed, and no direction or latitude is stretched, as they are in a flat transform of such a grid.
    """

    def needs(self) -> tuple[Statistic, ...]:
        return (SphericalSpectrum(),)

    def rows(self, sums: Sums) -> list[Row]:
        spectra = sums[SphericalSpectrum()]

        def value(total: Total) -> np.ndarray:
            count = total(spectra["count"])[..., None]
            truth, members = (ratio(total(spectra[name]), count)[..., 1:] for name in ("truth", "members"))
            return log_spectral_distance(truth, members)

        return sums.rows("lsd_spherical", value, units="dB")
