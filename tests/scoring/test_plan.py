from wxexp.metrics import CRPS, CRPSS, LogSpectralDistance
from wxexp.scoring.plan import name_of, statistics
from wxexp.statistics import Exceedances, Pairs, Spectrum, TailPairs, Variogram


def test_a_statistic_is_named_by_what_is_not_its_default():
    assert name_of(Pairs()) == "pairs"
    assert name_of(Spectrum()) == "spectrum" and name_of(Spectrum(window="none")) == "spectrum_window_none"
    assert name_of(Exceedances(thresholds=(-1.0, 5))) == "exceedances_thresholds_-1_5"
    assert name_of(TailPairs(thresholds=(0.1,), tail="lower")) == "tail_pairs_thresholds_0.1_tail_lower"
    assert name_of(Variogram(lags=(1,), order=1.0)) == "variogram_lags_1_order_1"


def test_each_statistic_once(world):
    metrics = {
        "a": CRPS(),
        "b": CRPSS(),
        "c": LogSpectralDistance(),
        "d": LogSpectralDistance(window="none"),
        "e": CRPS(estimator="biased"),
    }
    found = statistics(world(times=1, metrics=metrics).experiment)
    assert found == {"pairs": Pairs(), "spectrum": Spectrum(), "spectrum_window_none": Spectrum(window="none")}
