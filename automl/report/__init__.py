"""The report: one HTML file about one search."""

from automl.report.page import build_report

__all__ = ["build_report"]
