"""Fit AutoGluon and predict, by the Python of AutoGluon's own environment. Imports nothing of ours; prints one line of JSON.

python -m venv autogluon && autogluon/bin/pip install 'autogluon.tabular[lightgbm,catboost,xgboost,fastai]' torch==2.13.0
AUTOGLUON_PYTHON=$PWD/autogluon/bin/python make bench-quality
"""

from __future__ import annotations

import argparse
import json
import time

import pandas as pd
from autogluon.tabular import TabularPredictor, __version__

PROBLEMS = {"roc_auc": "binary", "accuracy": "multiclass", "rmse": "regression"}


def main() -> None:
    """Read train.csv and test.csv of the working folder, write the predictions there."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("target")
    parser.add_argument("metric", choices=PROBLEMS)
    parser.add_argument("--time", type=float, default=60)
    parser.add_argument("--out", default="predictions.csv")
    args = parser.parse_args()
    train, test = pd.read_csv("train.csv"), pd.read_csv("test.csv")
    began = time.perf_counter()
    predictor = TabularPredictor(args.target, PROBLEMS[args.metric], eval_metric=args.metric, path="model", verbosity=1)
    predictor.fit(train, presets="medium_quality", time_limit=args.time)
    seconds = time.perf_counter() - began
    predictions(predictor, test).to_csv(args.out, index=False)
    models = predictor.model_names()
    print(json.dumps({"seconds": seconds, "best": predictor.model_best, "models": models, "version": __version__}))


def predictions(predictor: TabularPredictor, test: pd.DataFrame) -> pd.DataFrame:
    """The columns of our own predictions file."""
    frame = predictor.predict(test).to_frame("prediction")
    if predictor.problem_type == "regression":
        return frame
    return frame.join(predictor.predict_proba(test).add_prefix("p_"))


if __name__ == "__main__":
    main()
