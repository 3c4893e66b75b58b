"""Can a small diffusion model know the chaos of Lorenz-96: its climate, and its weather two and four days ahead?

Data: simulated here, no network needed; 40 cells on a ring, forcing 8 (Lorenz 1996). One step is 48 hours (0.4 time units), about the
time in which small errors grow by a factor of two. The initial state is known exactly, so all of the spread is the network's own doubt.

Fair CRPS of the test times after 48 and 96 hours, and spread over skill; choices were made on validation times:

    experiment       the next state given the present one              0.053   0.13   1.4: the ensemble is too wide
    smaller          with a third of the weights                       0.087   0.21   1.3
    adaptive         smaller; noise levels drawn where the errors are  0.087   0.20   1.2
    latent           smaller; in the space of an autoencoder           0.20    0.46   1.2
    masked           smaller; nothing known of ten of the cells        0.63    1.15   1.1: what comes from behind them is not known
    analogues        no network: states that followed similar ones     1.67    1.82   1.1
    climatology      states of other times                             2.06    2.08   1.0

Mean and standard deviation of 1920 states from noise alone, where those of the climate are 2.34 and 3.64, and their fair CRPS, which for
the climatology of the same times is 2.08:

    unconditional    smaller                                           2.39    3.65   2.06
    empirical        no network: the training states                   2.37    3.64   2.06

    python -m wxexp run experiments/lorenz96.py            3 minutes on 2 cores
    python -m wxexp run experiments/lorenz96.py:latent     or another of these names: trains a minute or two on one core
    python -m wxexp run experiments/lorenz96.py:tiny       half a minute; for tests, its scores mean little
"""

import wxexp as wx

SOURCE = wx.datasets.Lorenz96(steps=1_000, trajectories=16, every=2)
PARTITION = wx.datasets.Fractions(train=(0.0, 0.75), valid=(0.75, 0.8125), test=(0.8125, 1.0))
LEVELS = wx.levels.Karras(sigma_min=0.01, sigma_max=80.0, rho=7.0)
EXACT = {"objective": wx.objectives.Empirical(), "scheduler": None, "training": wx.Training(samples=1, batch_size=1, ema=None)}


def experiment() -> wx.Experiment:
    """A forecast: the next state given the present one, twice."""
    return wx.Experiment(
        name="lorenz96",
        dataset=wx.datasets.Forecasting(
            source=SOURCE, variables=("state",), lead_hours=48.0, target="tendency", leads=2, stride=20, partition=PARTITION
        ),
        model=wx.models.SongUNet(channels=64, multipliers=(1, 1), blocks=2),
        objective=wx.objectives.Denoising(parameterization=wx.diffusion.parameterizations.EDM(sigma_data=1.0)),
        scheduler=wx.schedulers.LogNormal(mean=-1.2, std=1.2),
        sampler=wx.samplers.DPMSolver2M(steps=16, levels=LEVELS),
        training=wx.Training(
            samples=110_000,
            batch_size=128,
            optimizer=wx.AdamW(rate=2e-3, warmup=6_000),
            ema=10_000,
            validation=wx.Validation(
                every=27_500, items=16, members=8, sampler=wx.samplers.DPMSolver2M(steps=16, levels=wx.levels.Karras(sigma_min=0.01))
            ),
        ),
        ensemble=wx.Ensemble(members=32, leads=2, chunk=32, rows=32),
        scoring=wx.Scoring(
            metrics={
                "crps": wx.metrics.CRPS(),
                "crpss": wx.metrics.CRPSS(),
                "mae": wx.metrics.MAE(),
                "rmse": wx.metrics.RMSE(),
                "bias": wx.metrics.Bias(),
                "spread_skill": wx.metrics.SpreadSkill(),
                "ranks": wx.metrics.RankHistogram(),
            },
            baselines={"persistence": wx.baselines.Persistence(), "climatology": wx.baselines.Climatology()},
        ),
        resources=wx.Resources(workers=2),
    )


def smaller() -> wx.Experiment:
    """The forecast with a third of the weights; what the variants below are compared with, as they have as many."""
    return wx.edit(experiment(), {"name": "lorenz96-smaller", "model.channels": 32})


def unconditional() -> wx.Experiment:
    """States of the attractor from noise alone."""
    return wx.edit(
        smaller(),
        {
            "name": "lorenz96-unconditional",
            "dataset": wx.datasets.Generation(source=SOURCE, variables=("state",), stride=50, partition=PARTITION),
            "sampler": wx.samplers.DPMSolver2M(steps=24),
            "ensemble.leads": 1,
            "scoring.metrics": {
                "crps": wx.metrics.CRPS(),
                "bias": wx.metrics.Bias(),
                "spread_skill": wx.metrics.SpreadSkill(),
                "ranks": wx.metrics.RankHistogram(),
                "wasserstein": wx.metrics.Wasserstein(low=-15.0, high=20.0),
            },
            "scoring.baselines": {"climatology": wx.baselines.Climatology(size=32)},
        },
    )


def empirical() -> wx.Experiment:
    """The same with the exact denoiser of the 12 000 training states in place of a network."""
    return wx.edit(unconditional(), {"name": "lorenz96-empirical", **EXACT})


def analogues() -> wx.Experiment:
    """The forecast by training states that follow similar ones in place of a network; of a third of the initial times, as it takes long."""
    return wx.edit(
        experiment(),
        {
            "name": "lorenz96-analogues",
            **EXACT,
            "objective.bandwidth": 1.5,
            "dataset.target": "state",
            "dataset.stride": 60,
        },
    )


def adaptive() -> wx.Experiment:
    """The forecast, with noise levels drawn where training finds the errors."""
    return wx.edit(
        smaller(),
        {
            "name": "lorenz96-adaptive",
            "objective.weighting": wx.diffusion.weightings.Sigmoid(bias=2.0),
            "scheduler": wx.schedulers.Adaptive(gamma_min=-9.0, gamma_max=10.0, decay=0.99),
        },
    )


def masked() -> wx.Experiment:
    """The forecast where nothing is known of ten of the cells, as of the sea below land."""
    land = (*range(5), *range(20, 25))
    return wx.edit(smaller(), {"name": "lorenz96-masked", "dataset.source.masked": land, "dataset.geometry": ("mask",)})


def autoencoder() -> wx.Experiment:
    """Two cells of the ring as two numbers of a space in which to diffuse."""
    return wx.edit(
        smaller(),
        {
            "name": "lorenz96-autoencoder",
            "objective": wx.objectives.Autoencoding(likelihood=wx.likelihoods.Gaussian(), channels=2, factor=2),
            "scheduler": None,
            "sampler": None,
            "training.samples": 27_500,
            "training.validation.sampler": None,
            "ensemble.leads": 1,
        },
    )


def latent() -> wx.Experiment:
    """The forecast by diffusion in the space of the autoencoder, which is trained first."""
    one = smaller()
    return wx.edit(one, {"name": "lorenz96-latent", "objective": wx.objectives.Latent(space=autoencoder(), of=one.objective)})


def tiny() -> wx.Experiment:
    return wx.edit(
        experiment(),
        {
            "name": "lorenz96-tiny",
            "dataset.source": wx.datasets.Lorenz96(steps=200, trajectories=8, every=2, spin_up=500),
            "model.channels": 16,
            "model.blocks": 1,
            "sampler.steps": 4,
            "training.samples": 6_400,
            "training.batch_size": 32,
            "training.optimizer.warmup": 640,
            "training.ema": 640,
            "training.validation.every": 3_200,
            "training.validation.members": 2,
            "training.validation.items": 4,
            "training.validation.sampler.steps": 4,
            "ensemble.members": 4,
            "ensemble.chunk": 4,
            "ensemble.rows": 8,
            "resources.workers": 0,
        },
    )
