"""Visits to a doctor: 20,190 person-years of the RAND health insurance experiment (Newhouse 1993), bundled with statsmodels."""

from __future__ import annotations

from automl.tasks._packaged import bundled_rows
from automl.tasks.task import Column, Task

TASK = Task(
    name="randhie",
    title="How often does a person visit a doctor in a year?",
    kind="regression",
    input_kind="table",
    target="mdvis",
    objectives=(("rmse", "minimize"), ("r2", "maximize"), ("mae", "minimize")),
    read=lambda: bundled_rows("statsmodels", "datasets/randhie/randhie.csv", "mdvis"),
    source="statsmodels randhie",
    columns=(
        Column("lncoins", "number", "numbers"),
        Column("idp", "number", "whole numbers"),
        Column("lpi", "number", "numbers"),
        Column("fmde", "number", "numbers"),
        Column("physlm", "number", "numbers"),
        Column("disea", "number", "numbers"),
        Column("hlthg", "number", "whole numbers"),
        Column("hlthf", "number", "whole numbers"),
        Column("hlthp", "number", "whole numbers"),
    ),
    needs="statsmodels",
)
