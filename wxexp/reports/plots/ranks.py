"""Rank histograms: is the truth one more member? Anderson (1996), Hamill (2001)."""

from __future__ import annotations

import numpy as np
import xarray as xr
from matplotlib.ticker import MaxNLocator
from scipy.stats import binom

from wxexp.reports.style import BLACK, FORECAST, NO_DATA, Drawing, lead_text, new_figure, panel_grid, styled
from wxexp.statistics import flatness


def effective_size(frequency: np.ndarray) -> float:
    """How many independent ranks would scatter as these do: the design effect of cluster sampling (Kish 1965, section 5.4).

    Ranks of neighbouring cells are alike, so that the number of cells says nothing. Each cluster c (a case, or a block of contiguous
    cases) gives its own frequencies p_ck; clusters are taken to be independent. With the mean p_k over n clusters and the variance v_k of
    p_ck between them,

        n_eff = n sum_k p_k (1 - p_k) / sum_k v_k,

    which is n where all ranks of a cluster are the same, and the number of ranks where they are independent.

    Args:
        frequency: [cluster, bin], rows summing to 1.

    Returns:
        n_eff; NaN for fewer than two clusters or where all clusters are equal.
    """
    if len(frequency) < 2:
        return float("nan")
    mean = frequency.mean(axis=0)
    between = frequency.var(axis=0).sum()
    return float(len(frequency) * (mean * (1 - mean)).sum() / between) if between > 0 else float("nan")


@styled()
def rank_histogram(counts: xr.DataArray, *, lead_hours: float | None = None, level: float = 0.95, most_bins: int = 51) -> Drawing:
    """Frequency of each rank of the truth among the M members times M + 1, with the band in which a reliable ensemble's would lie.

    The band is binomial, bin by bin, with `effective_size` as the number of independent ranks; where that cannot be estimated (one case),
    with the number of cases, which is the most careful choice. More than `most_bins` ranks are added up to fewer, equal bins.

    Args:
        counts: weighted counts, dims (case, variable, bin), M + 1 bins, ties split; a coordinate `block` [case] names runs of contiguous
            cases, which then are the clusters. Cases whose counts are all zero (no truth) are left out.
        lead_hours: of the forecasts, where they have one.
        level: of the band.
        most_bins: bins drawn at most.

    Returns:
        The figure, and `frequency`, `low`, `high` [variable, bin] (times the number of ranks, 1 is flat) and `effective_size`, `outside`
        [variable] (the part of truths beyond all members; a reliable ensemble has 2 / (M + 1)).
    """
    ranks = counts.sizes["bin"]
    merge = next(k for k in range(1, ranks + 1) if ranks % k == 0 and ranks // k <= most_bins)
    label = "members below truth" if merge == 1 else f"members below truth / {merge}"
    counts = counts.transpose("case", "variable", "bin")
    return _histogram(counts, merge, lead_hours=lead_hours, level=level, label=label, what="rank histogram")


@styled()
def pit_histogram(counts: xr.DataArray, *, lead_hours: float | None = None, level: float = 0.95, bins: int = 20) -> Drawing:
    """The same over `bins` equal parts of the unit interval: the probability integral transform, a rank lying evenly in its own part.

    So ensembles of different sizes can be compared. Fewer bins where there are fewer ranks. See `rank_histogram` for arguments and band;
    titles have what `wxexp.metrics.PIT` reports, mean − ½ and 12 times the variance.
    """
    counts = counts.transpose("case", "variable", "bin")
    bins = min(bins, counts.sizes["bin"])
    even = xr.DataArray(
        flatness.pit_histogram(counts.values, bins), {n: x for n, x in counts.coords.items() if "bin" not in x.dims}, counts.dims
    )
    figure, data = _histogram(even, 1, lead_hours=lead_hours, level=level, label="probability integral transform", what="PIT")
    mean, variance = flatness.pit_moments(counts.sum("case").values)
    data = data.drop_vars("outside").assign(bias=("variable", mean - 0.5), dispersion=("variable", 12 * variance))
    data.attrs["ranks"] = counts.sizes["bin"]
    for v, axis in enumerate(figure.axes):
        name = str(data["variable"].values[v])
        axis.set_title(f"{name}\nbias {float(mean[v]) - 0.5:+.3f}, dispersion {12 * float(variance[v]):.2f}".replace("-", "−"))
        axis.set_xticks(np.linspace(-0.5, bins - 0.5, 5), ["0", "¼", "½", "¾", "1"])
    return figure, data


def _histogram(counts: xr.DataArray, merge: int, *, lead_hours: float | None, level: float, label: str, what: str) -> Drawing:
    data = _frequencies(counts, merge, level)
    names, ranks, bins = data["variable"].values, data.attrs["ranks"], data.sizes["bin"]
    columns = min(3, len(names))
    figure = new_figure(-(-len(names) // columns) * 2.45 + (0.2 if lead_hours is None else 0.4))
    axes = panel_grid(figure, len(names), columns)
    edges = np.arange(bins + 1) - 0.5
    for v, axis in enumerate(axes):
        frequency, low, high = (data[name].values[v] for name in ("frequency", "low", "high"))
        axis.stairs(frequency, edges, fill=True, facecolor=FORECAST, alpha=0.35)
        axis.stairs(frequency, edges, color=FORECAST, lw=1.2, baseline=0.0)
        axis.stairs(high, edges, baseline=low, fill=True, color=NO_DATA, lw=0, zorder=0)
        axis.axhline(1.0, color=BLACK, lw=1.0, ls="--")
        axis.set_xlim(edges[0], edges[-1])
        axis.set_ylim(0, 1.08 * float(np.nanmax([1.0, *high, *frequency])))
        axis.xaxis.set_major_locator(MaxNLocator(6, integer=True))
        axis.set_xlabel(label)
        axis.set_ylabel(f"frequency × {'ranks' if merge == 1 and what != 'PIT' else 'bins'}" if v % columns == 0 else "")
        axis.set_title(f"{names[v]}\n{100 * data['outside'].values[v]:.0f} % outside ({200 / ranks:.0f} % expected)")
    if lead_hours is not None:
        figure.suptitle(f"{what} {lead_text(lead_hours)}")
    return figure, data


def _frequencies(counts: xr.DataArray, merge: int, level: float) -> xr.Dataset:
    """What `rank_histogram` returns, of counts (case, variable, bin), each `merge` bins added up to one; NaN where there is no truth."""
    ranks = counts.sizes["bin"]
    names = [str(v) for v in counts["variable"].values]
    bins = ranks // merge
    shape = (len(names), bins)
    frequency, low, high = np.full(shape, np.nan), np.full(shape, np.nan), np.full(shape, np.nan)
    sizes, outside = np.full(len(names), np.nan), np.full(len(names), np.nan)
    for v in range(len(names)):
        values = np.asarray(counts.values[:, v], dtype=np.float64)
        used = values.sum(axis=1) > 0
        if not used.any():
            continue
        total = values[used].sum(axis=0)
        outside[v] = (total[0] + total[-1]) / total.sum()
        merged = values[used].reshape(-1, bins, merge).sum(axis=2)
        cluster = np.asarray(counts["block"].values)[used] if "block" in counts.coords else np.arange(used.sum())
        by_cluster = np.stack([merged[cluster == c].sum(axis=0) for c in dict.fromkeys(cluster.tolist())])
        size = effective_size(by_cluster / by_cluster.sum(axis=1, keepdims=True))
        sizes[v] = size if np.isfinite(size) else len(by_cluster)
        trials = max(int(round(sizes[v])), 1)
        frequency[v] = merged.sum(axis=0) / merged.sum() * bins
        low[v], high[v] = (binom.ppf(q, trials, 1 / bins) / trials * bins for q in ((1 - level) / 2, (1 + level) / 2))
    return xr.Dataset(
        {
            "frequency": (("variable", "bin"), frequency),
            "low": (("variable", "bin"), low),
            "high": (("variable", "bin"), high),
            "effective_size": (("variable",), sizes),
            "outside": (("variable",), outside),
        },
        {"variable": names, "bin": np.arange(bins)},
        {"ranks": ranks, "level": level, "cases": counts.sizes["case"]},
    )
