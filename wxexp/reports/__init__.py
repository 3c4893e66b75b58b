"""Plots, tables and the HTML report."""

from wxexp.reports.material import Material as Material, coarse_input as coarse_input
from wxexp.reports.report import report as report
from wxexp.reports.tables import console_table as console_table, headline as headline, plain_table as plain_table

__all__ = ["Material", "coarse_input", "console_table", "headline", "plain_table", "report"]
