"""How far the members' spectrum along circles of latitude is from that of the truth."""

from __future__ import annotations

import numpy as np

from wxexp.interfaces import Metric, Row, Statistic, Sums, Total
from wxexp.metrics.ratio import ratio
from wxexp.statistics import ZonalSpectrum
from wxexp.statistics.cells import label
from wxexp.statistics.spectra import log_spectral_distance


class ZonalSpectralDistance(Metric):
    """sqrt(mean_k (10 log10 S_k,members / S_k,truth)²) in dB over wavenumbers k ≥ 1, of spectra averaged over rows, cases and members.

    The row `lsd_zonal`, of rows that go round the globe; with several `bands` of rows `lsd_zonal_1` is the first. 0 is perfect; twice the
    amplitude is 6.02 dB. A wavenumber is another length at each latitude: choose bands, or groups, in which it is much the same.
    """

    bands: int = 1

    def __post_init__(self) -> None:
        if self.bands < 1:
            raise ValueError(f"ZonalSpectralDistance.bands must be at least 1, got {self.bands}")

    def needs(self) -> tuple[Statistic, ...]:
        return (ZonalSpectrum(bands=self.bands),)

    def rows(self, sums: Sums) -> list[Row]:
        spectra = sums[ZonalSpectrum(bands=self.bands)]

        def rows(band: int) -> list[Row]:
            def value(total: Total) -> np.ndarray:
                weight = total(spectra["weight"])[..., band, None]
                truth, members = (ratio(total(spectra[name])[..., band, 1:], weight) for name in ("truth", "members"))
                return log_spectral_distance(truth, members)

            return sums.rows("lsd_zonal" if self.bands == 1 else f"lsd_zonal_{label(band + 1)}", value, units="dB")

        return [row for band in range(self.bands) for row in rows(band)]
