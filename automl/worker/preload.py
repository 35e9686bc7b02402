"""Imported once by the worker server, so that every forked worker finds Lightning ready. Makes no CUDA call, starts no thread."""

import contextlib
import importlib

from automl.catalog import families

# The quick way to Lightning comes first.
for name in ("lightning_modules._lightning", "safetensors.torch", "automl.worker.trainer"):
    importlib.import_module(name)
for name in families():
    # A family that cannot be imported fails in its own trial, with its own message.
    with contextlib.suppress(Exception):
        importlib.import_module(f"lightning_modules.{name}")
