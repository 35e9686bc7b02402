"""The bare PyTorch loop: one process, one thread, no Lightning, no pruning, no logging. The lower bound of `bench_speed.py`.

Trains the digits MLP at its default as often as asked, with the mini-batches, clipping and validation of a trial, and prints
one JSON object.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from automl.catalog import space
from automl.data import load_part, prepare, spec_for
from automl.messages import Spec
from automl.tasks import load_task
from lightning_modules._training import mini_batches
from lightning_modules.mlp import Module


def main() -> None:
    """Train `--trials` times and print seconds per epoch."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trials", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--epochs", type=int, default=20)
    args = parser.parse_args()
    torch.set_num_threads(1)
    task, folder = load_task("digits"), Path("data").absolute()
    prepared = prepare(task, seed=args.seed, data_folder=folder)
    spec = spec_for(task, prepared, max_epochs=args.epochs)
    parts = [load_part(folder, prepared.ref, part) for part in ("train", "validation")]
    train, validation = [[torch.from_numpy(np.array(a)) for a in (part.inputs, part.target)] for part in parts]
    took, accuracies = [], []
    for trial in range(args.trials):
        torch.manual_seed(args.seed + trial)
        began = time.perf_counter()
        accuracies.append(fit(spec, space("mlp").DEFAULT, train, validation, args.epochs))
        took.append(time.perf_counter() - began)
    epochs = args.trials * args.epochs
    print(json.dumps({"trials": args.trials, "epochs": epochs, "training": sum(took), "best": max(accuracies)}))


def fit(spec: Spec, params: dict[str, Any], train: list[Tensor], validation: list[Tensor], epochs: int) -> float:
    """Train and validate for `epochs`; returns the best accuracy."""
    network = Module(spec, **params).network
    weights = list(network.parameters())
    optimizer = torch.optim.AdamW(weights, lr=params["lr"], weight_decay=params["weight_decay"])  # as people write it
    batch_size = min(params["batch_size"], spec.rows // 8)
    best = 0.0
    for _ in range(epochs):
        network.train()
        for rows in mini_batches(torch.randperm(len(train[1])), batch_size):
            optimizer.zero_grad()
            F.cross_entropy(network(train[0][rows]), train[1][rows]).backward()
            nn.utils.clip_grad_norm_(weights, 1.0)
            optimizer.step()
        network.eval()
        with torch.no_grad():
            outputs = network(validation[0])
            F.cross_entropy(outputs, validation[1]).item()
            best = max(best, (outputs.argmax(dim=1) == validation[1]).float().mean().item())
    return best


if __name__ == "__main__":
    main()
