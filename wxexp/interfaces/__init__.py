"""Base class of every kind, and the types by which kinds meet.

Shapes: B samples, M members, N = B * M rows (b-major), C channels, *S space (H W, or X). Fields are [B, C, *S], ensembles [B, M, C, *S].
Tensors are normalised unless said. `mask` is True where valid; masked cells are never read, generated or scored.
"""

from wxexp.interfaces.data import (
    Batch as Batch,
    Charted as Charted,
    Coarsened as Coarsened,
    Codec as Codec,
    Dataset as Dataset,
    Evolving as Evolving,
    Fields as Fields,
    Frame as Frame,
    Item as Item,
    Opened as Opened,
    Ports as Ports,
    Source as Source,
    Split as Split,
    Statistics as Statistics,
    Variable as Variable,
)
from wxexp.interfaces.networks import (
    Inputs as Inputs,
    Model as Model,
    Network as Network,
    Wrapper as Wrapper,
)
from wxexp.interfaces.learning import (
    Group as Group,
    Learner as Learner,
    Loss as Loss,
    Objective as Objective,
    Optimizer as Optimizer,
    Parts as Parts,
    Phase as Phase,
    Step as Step,
)
from wxexp.interfaces.diffusion import (
    Denoiser as Denoiser,
    FixedSchedule as FixedSchedule,
    Levels as Levels,
    Noise as Noise,
    Perturbation as Perturbation,
    Sampler as Sampler,
    Schedule as Schedule,
    Scheduler as Scheduler,
)
from wxexp.interfaces.likelihoods import (
    FittedLikelihood as FittedLikelihood,
    Likelihood as Likelihood,
)
from wxexp.interfaces.scoring import (
    Baseline as Baseline,
    Metric as Metric,
    Reducer as Reducer,
    Row as Row,
    Statistic as Statistic,
    Subset as Subset,
    Sums as Sums,
    Total as Total,
)
from wxexp.interfaces.running import (
    Executor as Executor,
    Failure as Failure,
    Job as Job,
    Session as Session,
    Tiles as Tiles,
    Tracker as Tracker,
    Worker as Worker,
)
