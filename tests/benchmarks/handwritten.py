"""The script that a person writes by hand: Optuna, Lightning and MLflow on SQLite, as their tutorials show it.

The rival in `bench_speed.py`. Uses nothing of automl's search; only the data, the space and the network are ours, so that
both sides do equal work: same rows, parameters and ranges, optimisers, schedules, clipping and patience. What tutorials leave
on and costs time without being asked for (checkpoints, progress bar, model summary, Lightning's own logger) is off here.

Run in an empty folder: `python handwritten.py --trials 40 --seed 0 --epochs 20`. Prints one JSON object.
"""

# ruff: noqa: E402
from __future__ import annotations

import time

BEGAN = time.perf_counter()

import argparse
import json
import logging
import warnings
from pathlib import Path
from typing import Any

import mlflow
import numpy as np
import optuna
import pytorch_lightning as pl
import torch
from optuna.trial import Trial, TrialState
from torch import Tensor
from torch.nn import functional as F
from torch.utils.data import DataLoader, TensorDataset

import search_spaces.mlp
from automl.data import load_part, prepare, spec_for
from automl.messages import Spec
from automl.tasks import load_task
from lightning_modules._training import SCHEDULES, make_optimizer
from lightning_modules.mlp import Module

IMPORTED = time.perf_counter()
CLIP = 1.0


class DigitsModel(pl.LightningModule):
    """An ordinary LightningModule with automatic optimisation."""

    def __init__(self, spec: Spec, params: dict[str, Any]) -> None:
        super().__init__()
        self.params = params
        self.network = Module(spec, **params).network

    def training_step(self, batch: list[Tensor], batch_idx: int) -> Tensor:
        """Return the loss of a mini-batch."""
        inputs, target = batch
        loss = F.cross_entropy(self.network(inputs), target, label_smoothing=self.params["label_smoothing"])
        self.log("train_loss", loss)
        return loss

    def validation_step(self, batch: list[Tensor], batch_idx: int) -> None:
        """Log loss and accuracy."""
        inputs, target = batch
        outputs = self.network(inputs)
        accuracy = (outputs.argmax(dim=1) == target).float().mean()
        self.log_dict({"val_loss": F.cross_entropy(outputs, target), "val_accuracy": accuracy})

    def configure_optimizers(self) -> Any:
        """Return the optimiser and a schedule that moves with every step."""
        chosen = {key: self.params[key] for key in ("lr", "weight_decay", "momentum") if key in self.params}
        optimizer = make_optimizer(self.params["optimizer"], self.parameters(), **chosen)
        steps, schedule = self.trainer.estimated_stepping_batches, SCHEDULES[self.params["schedule"]]
        scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: schedule(min(1.0, step / steps)))
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": scheduler, "interval": "step"}}


class Pruning(pl.Callback):
    """Log each epoch to MLflow, report it to Optuna, stop when Optuna says so."""

    def __init__(self, trial: Trial) -> None:
        self.trial = trial
        self.best = 0.0

    def on_validation_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Called once per epoch."""
        epoch = trainer.current_epoch + 1
        for name in ("train_loss", "val_loss", "val_accuracy"):
            mlflow.log_metric(name, float(trainer.callback_metrics[name]), step=epoch)
        accuracy = float(trainer.callback_metrics["val_accuracy"])
        self.best = max(self.best, accuracy)
        self.trial.report(accuracy, epoch)
        if self.trial.should_prune():
            raise optuna.TrialPruned(f"pruned at epoch {epoch}")


def train(trial: Trial, spec: Spec, parts: dict[str, TensorDataset], epochs: int, seed: int) -> float:
    """Train one trial; returns its best validation accuracy."""
    params = search_spaces.mlp.suggest(trial, spec)
    pl.seed_everything(seed + trial.number, verbose=False)
    batch_size = min(params["batch_size"], spec.rows // 8)
    with mlflow.start_run(run_name=f"trial-{trial.number}"):
        mlflow.log_params(params)
        pruning = Pruning(trial)
        patience = pl.callbacks.EarlyStopping("val_accuracy", mode="max", patience=max(5, epochs // 3))
        trainer = pl.Trainer(
            max_epochs=epochs,
            accelerator="cpu",
            gradient_clip_val=CLIP,
            callbacks=[pruning, patience],
            logger=False,
            enable_checkpointing=False,
            enable_progress_bar=False,
            enable_model_summary=False,
            num_sanity_val_steps=0,
        )
        trainer.fit(
            DigitsModel(spec, params),
            DataLoader(parts["train"], batch_size=batch_size, shuffle=True),
            DataLoader(parts["validation"], batch_size=512),
        )
        mlflow.log_metric("best_val_accuracy", pruning.best)
    return pruning.best


def main() -> None:
    """Prepare the rows, optimise, print what it took."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trials", type=int, default=40)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--epochs", type=int, default=20)
    args = parser.parse_args()
    quieten()
    spec, parts = read_rows(args.seed, args.epochs)

    mlflow.set_tracking_uri("sqlite:///mlflow.db")
    mlflow.set_experiment("digits-by-hand")
    study = optuna.create_study(
        storage="sqlite:///optuna.db",
        direction="maximize",
        sampler=optuna.samplers.TPESampler(seed=args.seed),
        pruner=optuna.pruners.MedianPruner(),
    )
    began = time.perf_counter()
    study.optimize(lambda trial: train(trial, spec, parts, args.epochs, args.seed), n_trials=args.trials)
    ended = time.perf_counter()

    first = study.trials[0].duration
    assert first is not None
    figures = {
        "trials": len(study.trials),
        "pruned": sum(trial.state == TrialState.PRUNED for trial in study.trials),
        "epochs": sum(len(trial.intermediate_values) for trial in study.trials),
        "import": IMPORTED - BEGAN,
        "first_trial": first.total_seconds(),
        "optimize": ended - began,
        "total": ended - BEGAN,
        "best": study.best_value,
    }
    print(json.dumps(figures))


def read_rows(seed: int, epochs: int) -> tuple[Spec, dict[str, TensorDataset]]:
    """Return the same train and validation rows that a search of this seed uses."""
    task, folder = load_task("digits"), Path("data").absolute()
    prepared = prepare(task, seed=seed, data_folder=folder)
    parts = {}
    for part in ("train", "validation"):
        arrays = load_part(folder, prepared.ref, part)
        parts[part] = TensorDataset(*(torch.from_numpy(np.array(array)) for array in (arrays.inputs, arrays.target)))
    return spec_for(task, prepared, max_epochs=epochs), parts


def quieten() -> None:
    """Silence what people silence: device lines, advice on DataLoader workers, Optuna's line per trial."""
    warnings.filterwarnings("ignore")
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    for name in ("pytorch_lightning", "lightning_fabric", "mlflow", "alembic"):
        logging.getLogger(name).setLevel(logging.ERROR)


if __name__ == "__main__":
    main()
