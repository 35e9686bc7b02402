"""Imported once by the worker server, so that every forked worker finds Lightning ready. Makes no CUDA call, starts no thread."""

import contextlib
import importlib

import pytorch_lightning  # noqa: F401
import safetensors.torch  # noqa: F401

import automl.worker.trainer  # noqa: F401
from automl.catalog import families

for name in families():
    # A family that cannot be imported fails in its own trial, with its own message.
    with contextlib.suppress(Exception):
        importlib.import_module(f"lightning_modules.{name}")
