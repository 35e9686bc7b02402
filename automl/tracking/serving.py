"""The code that MLflow runs to serve a bundle: a model from code, so nothing is pickled. MLflow executes this file by its path.

`mlflow.pyfunc.load_model("models:/digits@champion").predict(frame)` gives the numbers of `automl predict`. Families of one's own
are found through `AUTOML_FAMILIES_FROM`.
"""

import os

import pandas as pd
from mlflow.models import set_model
from mlflow.pyfunc import PythonModel, PythonModelContext


class BundleModel(PythonModel):
    """A bundle behind MLflow's interface. Loads safetensors and JSON, checked against the manifest."""

    def load_context(self, context: PythonModelContext) -> None:
        """Load the bundle; torch is imported here and not when MLflow reads this file."""
        from automl import catalog, load_model

        families_from = os.environ.get("AUTOML_FAMILIES_FROM")
        if families_from:
            catalog.add_families_from(families_from)
        self._model = load_model(context.artifacts["bundle"])

    def predict(
        self, context: PythonModelContext, model_input: pd.DataFrame, params: dict[str, object] | None = None
    ) -> pd.DataFrame:
        """(rows, columns by name) -> one row each: `prediction`, and `p_<class>` for each class. Raises DataError."""
        from automl.bundle import predict_frame

        return predict_frame(self._model, model_input)


set_model(BundleModel())
