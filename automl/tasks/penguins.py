"""Penguins: 344 birds of three species with gaps, measured at Palmer Station (Gorman, Williams and Fraser 2014), in palmerpenguins."""

from __future__ import annotations

from automl.tasks._packaged import bundled_rows
from automl.tasks.task import Column, Task

TASK = Task(
    name="penguins",
    title="Which species is a penguin, from its measures, sex and island?",
    kind="classification",
    input_kind="table",
    target="species",
    objectives=(("accuracy", "maximize"), ("log_loss", "minimize"), ("balanced_accuracy", "maximize")),
    read=lambda: bundled_rows("palmerpenguins", "data/penguins.csv", "species"),
    source="palmerpenguins",
    columns=(
        Column("island", "category", "3 different words"),
        Column("bill_length_mm", "number", "numbers"),
        Column("bill_depth_mm", "number", "numbers"),
        Column("flipper_length_mm", "number", "whole numbers"),
        Column("body_mass_g", "number", "whole numbers"),
        Column("sex", "category", "3 different words"),
        Column("year", "number", "whole numbers"),
    ),
    evaluation="folds",
    needs="palmerpenguins",
)
