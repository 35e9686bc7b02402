"""The report: one HTML file about one search, and a page over all of them."""

from automl.report.index import build_index
from automl.report.material import Material, gather, read_material
from automl.report.page import build_report

__all__ = ["Material", "build_index", "build_report", "gather", "read_material"]
