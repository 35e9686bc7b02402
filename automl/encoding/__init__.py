"""Fitted preprocessing: raw cells in, a model's numbers out. NumPy and the standard library alone: it is copied beside exported models.

Cells of a column are an array (rows,) of float64 with NaN where a value is missing, or of objects: text, numbers, None. What an
encoder has learned from the training rows is plain data, so it travels as JSON; nothing here learns. Files import each other
relatively, so that the folder works under any name.
"""

from .category import Category
from .cells import CellError, Raw, missing, numbers, words
from .date import ISO, QUARTER, Date, moment, seconds
from .encoder import ColumnEncoder, Encoder, WholeEncoder
from .encoders import encode, encoder_from, gathered, in_units, units
from .forecast import Forecast
from .grid import Grid
from .number import Number
from .series import Series
from .spelling import BLANKS, DURATION, is_overflow, number_in
from .steps import SeriesError, Steps, filled
from .subwords import BEGIN, LONGEST_WORD, Subwords, runs_of
from .text import Text, terms_of
from .timeline import moments_in, rows_by_id, steps_at
from .tokens import SPACELESS, TOKEN, WORD, Tokens, Words, tokens_of

__all__ = [
    "BEGIN",
    "BLANKS",
    "DURATION",
    "ISO",
    "LONGEST_WORD",
    "QUARTER",
    "SPACELESS",
    "TOKEN",
    "WORD",
    "Category",
    "CellError",
    "ColumnEncoder",
    "Date",
    "Encoder",
    "Forecast",
    "Grid",
    "Number",
    "Raw",
    "Series",
    "SeriesError",
    "Steps",
    "Subwords",
    "Text",
    "Tokens",
    "WholeEncoder",
    "Words",
    "encode",
    "encoder_from",
    "filled",
    "gathered",
    "in_units",
    "is_overflow",
    "missing",
    "moment",
    "moments_in",
    "number_in",
    "numbers",
    "rows_by_id",
    "runs_of",
    "seconds",
    "steps_at",
    "terms_of",
    "tokens_of",
    "units",
    "words",
]
