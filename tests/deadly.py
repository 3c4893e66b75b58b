"""A source whose readers may be shot, and a sampler that fails."""

from __future__ import annotations

import os
import signal
import threading
import time
from pathlib import Path

from torch import Tensor

from wxexp.datasets.sources import SyntheticFields
from wxexp.interfaces import Denoiser, Fields, Noise
from wxexp.samplers import Euler


class DeadlyFields(SyntheticFields):
    """The first process to open it dies by SIGKILL when `range`/train has a checkpoint, once for each file bullet-* in `range`."""

    range: str = ""

    def open(self) -> Fields:
        for bullet in Path(self.range).glob("bullet-*"):
            try:
                bullet.rename(bullet.with_name(f"fired-{os.getpid()}"))
            except FileNotFoundError:
                continue
            threading.Thread(target=self._wait, daemon=True).start()
            break
        return super().open()

    def _wait(self) -> None:
        before = set(Path(self.range).glob("train/step-*"))
        while not set(Path(self.range).glob("train/step-*")) - before:
            time.sleep(0.001)
        os.kill(os.getpid(), signal.SIGKILL)


class Broken(Euler):
    def sample(self, denoise: Denoiser, y: Tensor, gamma: Tensor, noise: Noise) -> Tensor:
        raise FloatingPointError("this sampler fails")
