"""wxexp: probabilistic weather and climate experiments. `import wxexp as wx` imports nothing until a name is used (PEP 562)."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:  # what editors and mypy see; a test compares it with the tables below
    from wxexp import baselines as baselines, datasets as datasets, diffusion as diffusion, fields as fields
    from wxexp import interfaces as interfaces, levels as levels, likelihoods as likelihoods, metrics as metrics
    from wxexp import models as models, objectives as objectives, perturbations as perturbations, samplers as samplers
    from wxexp import schedulers as schedulers, scoring as scoring, statistics as statistics, subsets as subsets
    from wxexp.config import ConfigError as ConfigError, Spec as Spec, Sweep as Sweep
    from wxexp.config import edit as edit, freeze as freeze, product as product, thaw as thaw
    from wxexp.experiment import AdamW as AdamW, Ensemble as Ensemble, Experiment as Experiment, Resources as Resources
    from wxexp.experiment import Scoring as Scoring, Training as Training, Validation as Validation
    from wxexp.runner import load as load, run as run
    from wxexp.scoring.external import score as score
else:  # hidden from mypy: a visible module __getattr__ would make every misspelt wx.name an Any
    _MODULES = (
        "baselines datasets diffusion fields interfaces levels likelihoods metrics models objectives perturbations samplers"
        " schedulers scoring statistics subsets"
    ).split()
    _NAMES = {
        **dict.fromkeys(("ConfigError", "Spec", "Sweep", "edit", "freeze", "product", "thaw"), "config"),
        **dict.fromkeys(("AdamW", "Ensemble", "Experiment", "Resources", "Scoring", "Training", "Validation"), "experiment"),
        **dict.fromkeys(("load", "run"), "runner"),
        "score": "scoring.external",
    }

    def __getattr__(name: str) -> Any:
        if name in _MODULES:
            return import_module(f"{__name__}.{name}")
        if name in _NAMES:
            return getattr(import_module(f"{__name__}.{_NAMES[name]}"), name)
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

    def __dir__() -> list[str]:
        return sorted([*_MODULES, *_NAMES, "__version__"])
