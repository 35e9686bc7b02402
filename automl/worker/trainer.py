"""The one lean Lightning trainer: the only place that builds a `pl.Trainer`. Knows no coordinator; callbacks come from outside."""

from __future__ import annotations

import functools
import logging
import warnings
from collections.abc import Sequence

import pytorch_lightning as pl
import torch
from lightning_fabric.utilities import registry

from automl.worker.feeds import EvaluationFeed, TrainingFeed
from lightning_modules._base import FamilyModule

# Each Trainer would read the metadata of every installed package anew, 4 ms a trial.
setattr(registry, "entry_points", functools.cache(registry.entry_points))  # noqa: B010

for _name in ("pytorch_lightning", "lightning_fabric"):
    logging.getLogger(_name).setLevel(logging.ERROR)  # device lines and an advertisement at each fit
warnings.filterwarnings(
    "ignore", message=".*have no `val_dataloader`", module="pytorch_lightning"
)  # a refit validates nothing
warnings.filterwarnings(
    "ignore", message=".*LeafSpec.* is deprecated", module="pytorch_lightning"
)  # its own affair with torch

_DTYPES = {"bf16-true": torch.bfloat16, "16-true": torch.float16, "64-true": torch.float64}


def training_device() -> torch.device:
    """The device that `fit` trains on: the first visible GPU, else the CPU."""
    return torch.device("cuda", 0) if torch.cuda.is_available() else torch.device("cpu")


def input_dtype(precision: str) -> torch.dtype:
    """Type of a model's inputs under a Lightning precision flag; mixed flags cast by themselves."""
    return _DTYPES.get(precision, torch.float32)


def fit(
    module: FamilyModule,
    training: TrainingFeed,
    validation: EvaluationFeed | None,
    *,
    epochs: int,
    precision: str,
    callbacks: Sequence[pl.Callback],
) -> pl.Trainer:
    """Train `module` for `epochs` unless a callback ends it; without `validation` nothing is validated.

    Returns the trainer, whose counters (`current_epoch`, `global_step`) tell what was done.
    """
    trainer = pl.Trainer(
        accelerator="gpu" if training_device().type == "cuda" else "cpu",
        devices=1,
        max_epochs=epochs,
        precision=precision,  # type: ignore[arg-type]
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        num_sanity_val_steps=0,
        callbacks=list(callbacks),
    )
    trainer.fit(module, train_dataloaders=training, val_dataloaders=validation)
    return trainer
