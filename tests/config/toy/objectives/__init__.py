from toy.objectives.denoising import Denoising as Denoising
from toy.objectives.held import Blend as Blend
from toy.objectives.held import Distilled as Distilled
from toy.objectives.residual import Residual as Residual

__all__ = ["Blend", "Denoising", "Distilled", "Residual"]
