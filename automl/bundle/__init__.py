"""The bundle: an exported model as a folder with a manifest of hashes. Torch is imported when a model is loaded."""

from automl.bundle.format import Facts, Manifest, check_bundle, read_manifest, resolve
from automl.bundle.load import Model, load_model
from automl.bundle.predict import predict_file, predict_frame, write_predictions

__all__ = [
    "Facts",
    "Manifest",
    "Model",
    "check_bundle",
    "load_model",
    "predict_file",
    "predict_frame",
    "read_manifest",
    "resolve",
    "write_predictions",
]
