"""Networks, what goes into them, and wrappers around them."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar

from torch import Tensor, nn

from wxexp.config import Spec
from wxexp.interfaces.data import Batch, Ports

if TYPE_CHECKING:
    from wxexp.experiment import Experiment
    from wxexp.interfaces.learning import Learner


@dataclasses.dataclass
class Inputs:
    """What a network sees beside the noisy state.

    Attributes:
        condition: [N, D, *S].
        static: [1|N, E, *S].
        level: noise conditioning [N, k], or None.
        latent: [N, Z], or None.
        lead_hours: [N].
        origin: int64 [N, dims].
        noise: maps asked for by `noise_shapes` [N, c, *size] (pixel noise injection); no network draws by itself.
        extra: as in Batch.
    """

    condition: Tensor
    static: Tensor
    lead_hours: Tensor
    origin: Tensor
    level: Tensor | None = None
    latent: Tensor | None = None
    noise: Mapping[str, Tensor] = dataclasses.field(default_factory=dict)
    extra: Mapping[str, Tensor] = dataclasses.field(default_factory=dict)

    @classmethod
    def of(
        cls,
        batch: Batch,
        *,
        level: Tensor | None = None,
        latent: Tensor | None = None,
        noise: Mapping[str, Tensor] | None = None,
    ) -> Inputs:
        """What a network is told of a batch."""
        return cls(
            condition=batch.condition,
            static=batch.static,
            lead_hours=batch.lead_hours,
            origin=batch.origin,
            level=level,
            latent=latent,
            noise=noise or {},
            extra=batch.extra,
        )

    def map(self, f: Callable[[Tensor], Tensor]) -> Inputs:
        """Every tensor through `f`."""

        def maybe(x: Tensor | None) -> Tensor | None:
            return None if x is None else f(x)

        return Inputs(
            condition=f(self.condition),
            static=f(self.static),
            lead_hours=f(self.lead_hours),
            origin=f(self.origin),
            level=maybe(self.level),
            latent=maybe(self.latent),
            noise={name: f(x) for name, x in self.noise.items()},
            extra={name: f(x) for name, x in self.extra.items()},
        )


class Network(nn.Module):
    """Any size *S; it pads itself.

    Attributes:
        same_size: False for encoders, decoders and critics, which only the objective that holds them uses; wrappers leave them alone.
    """

    same_size: bool = True

    def noise_shapes(self, size: Sequence[int]) -> Mapping[str, tuple[int, ...]]:
        """Noise maps it wants for fields of `size`, name -> (c, *size)."""
        return {}

    def forward(self, x: Tensor | None, inputs: Inputs) -> Tensor:
        """[N, target, *S] (None where ports.target is 0) -> [N, out, *S]."""
        raise NotImplementedError


class Wrapper(Network):
    """A network around a network; passes on all that is not `forward`."""

    def __init__(self, network: Network) -> None:
        super().__init__()
        self.network = network
        self.same_size = network.same_size

    def noise_shapes(self, size: Sequence[int]) -> Mapping[str, tuple[int, ...]]:
        return self.network.noise_shapes(size)


class Model(Spec):
    """The hyper-parameters of a network."""

    registry: ClassVar[str] = "wxexp.models"

    def build(self, ports: Ports, parent: Callable[[Experiment], Learner]) -> Network:
        """`parent` gives the trained learner of an experiment that the model holds."""
        raise NotImplementedError
