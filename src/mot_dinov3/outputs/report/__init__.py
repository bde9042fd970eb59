"""The report: one HTML file that shows a run, from its results and its figures."""

from __future__ import annotations
