"""Speed of networks in training, forward and backward on patches: `python tests/benchmarks/networks.py [--threads 2] [--rounds 5]`.

Interleaved, so that other load on the machine falls on all alike; of each the fastest round counts. Compared are one network in float32
as torch comes, in float32 with activations channels-last and in bfloat16 channels-last, and then some shapes of network in bfloat16.
"""

import argparse
import os
import time
from collections.abc import Callable
from unittest import mock

import numpy as np
import torch
from torch.utils.flop_counter import FlopCounterMode

from wxexp.fields.grid import Grid
from wxexp.interfaces import Inputs, Network, Ports
from wxexp.models import SongUNet

SHAPES: dict[str, SongUNet] = {
    "channels 32, multipliers (1, 2, 2), blocks 2, patch 2": SongUNet(patch=2, precision="bfloat16"),
    "channels 32, multipliers (1, 2, 2), blocks 1": SongUNet(blocks=1, precision="bfloat16"),
    "channels 32, multipliers (1, 2, 2), blocks 1, patch 2": SongUNet(blocks=1, patch=2, precision="bfloat16"),
    "channels 64, multipliers (1, 2), blocks 1, patch 2": SongUNet(
        channels=64, multipliers=(1, 2), blocks=1, patch=2, precision="bfloat16"
    ),
}


def built(spec: SongUNet, size: int) -> Network:
    grid = Grid("latlon", np.linspace(40, 50, size), np.linspace(0, 10, size))
    return spec.build(Ports(target=3, condition=3, static=1, out=3, level=1, grid=grid), None)


def training(network: Network, batch: int, size: int) -> Callable[[], None]:
    """One forward and backward pass."""
    x, condition = torch.randn(2, batch, 3, size, size)
    inputs = Inputs(
        condition,
        torch.randn(1, 1, size, size),
        torch.zeros(batch),
        torch.zeros(batch, 2, dtype=torch.int64),
        level=torch.randn(batch, 1),
    )

    def step() -> None:
        network.zero_grad(set_to_none=True)
        network(x, inputs).square().mean().backward()

    return step


def contiguous(step: Callable[[], None]) -> Callable[[], None]:
    """The same with activations as torch comes (NCHW)."""

    def run() -> None:
        with mock.patch("wxexp.models.song_unet.torch.channels_last", torch.contiguous_format):
            step()

    return run


def measure(steps: dict[str, Callable[[], None]], rounds: int) -> dict[str, float]:
    """Seconds of the fastest round of each, after one to warm up."""
    best = dict.fromkeys(steps, float("inf"))
    for i in range(rounds + 1):
        for name, step in steps.items():
            start = time.perf_counter()
            step()
            if i:
                best[name] = min(best[name], time.perf_counter() - start)
    return best


def report(networks: dict[str, Network], steps: dict[str, Callable[[], None]], batch: int, size: int, rounds: int) -> None:
    first = None
    for name, seconds in measure(steps, rounds).items():
        with FlopCounterMode(display=False) as counter:
            steps[name]()
        first = first or seconds
        parameters = sum(p.numel() for p in networks[name].parameters())
        print(
            f"  {name:60} {parameters / 1e6:5.2f} M parameters {seconds * 1e3:7.0f} ms {batch * size * size / seconds / 1e6:6.2f} Mcells/s"
            f" {counter.get_total_flops() / seconds / 1e9:5.0f} GFLOP/s  x{first / seconds:.2f}"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--size", type=int, default=64)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    print(
        f"{args.threads} threads, batch {args.batch} of {args.size} x {args.size}, load {os.getloadavg()[0]:.1f}, torch {torch.__version__}"
    )
    for channels in (32, 64):
        exact, fast = (built(SongUNet(channels=channels, precision=p), args.size) for p in ("float32", "bfloat16"))
        networks = {"float32": exact, "float32 channels-last": exact, "bfloat16 channels-last": fast}
        steps = {name: training(network, args.batch, args.size) for name, network in networks.items()}
        steps["float32"] = contiguous(steps["float32"])
        print(f"channels {channels}, multipliers (1, 2, 2), blocks 2")
        report(networks, steps, args.batch, args.size, args.rounds)
    networks = {name: built(spec, args.size) for name, spec in SHAPES.items()}
    print("bfloat16 channels-last")
    report(networks, {name: training(n, args.batch, args.size) for name, n in networks.items()}, args.batch, args.size, args.rounds)


if __name__ == "__main__":
    main()
