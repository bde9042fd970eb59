"""Reports as aligned text for people."""

from __future__ import annotations

from collections.abc import Mapping
from textwrap import wrap
from typing import Any

from mot_dinov3.lab.benchmarks.base import Report, ResultRow
from mot_dinov3.wording import counted

WIDTH = 110


def format_report(name: str, report: Report) -> str:
    """Format one report: its title, a column per figure, the bars, the notes."""
    lines = [f"{name}: {report.title}"]
    for columns in _split_columns(report):
        rows = [row for row in report.rows if set(columns) & set(row.figures)]
        lines += _format_table(columns, rows)
    lines += [f"  {line}" for line in map(_format_verdict, report.rows) if line]
    lines += [f"  {line}" for note in report.notes for line in wrap(note, WIDTH - 2)]
    return "\n".join(lines)


def _split_columns(report: Report) -> list[list[str]]:
    """Split the figures' names, in order, into tables that fit the page."""
    names = list(dict.fromkeys(name for row in report.rows for name in row.figures))
    left = max((len(row.label) for row in report.rows), default=0) + 4
    groups: list[list[str]] = []
    room = 0
    for name in names:
        width = _width(name)
        if not groups or room < width:
            groups.append([])
            room = WIDTH - left
        groups[-1].append(name)
        room -= width
    return groups


def _width(name: str) -> int:
    return max(len(name), 8) + 2


def _format_table(columns: list[str], rows: list[ResultRow]) -> list[str]:
    left = max((len(row.label) for row in rows), default=0)
    head = "".join(f"{name:>{_width(name)}}" for name in columns)
    lines = [f"  {'':<{left}}{head}"]
    for row in rows:
        texts = ((_format_cell(row.figures.get(name)), _width(name)) for name in columns)
        cells = "".join(f"{text:>{width}}" for text, width in texts)
        lines.append(f"  {row.label:<{left}}{cells}")
    return lines


def _format_cell(value: float | None) -> str:
    if value is None:
        return "-"
    return str(value) if isinstance(value, int) else f"{value:.6g}"


def _format_verdict(row: ResultRow) -> str:
    if row.skipped:
        return f"skipped {row.label}: {row.skipped}"
    if row.bar is None:
        return ""
    return f"{'met    ' if row.bar.met(row.figures) else 'NOT MET'} {row.label}: {row.bar}"


def format_machine(machine: Mapping[str, Any]) -> str:
    """Describe the machine in two lines."""
    versions = ", ".join(f"{name} {number}" for name, number in machine["versions"].items())
    threads = machine["omp_num_threads"]
    limit = f", OMP_NUM_THREADS={threads}" if threads else ""
    return (
        f"machine: {machine['cpu']}, {counted(machine['cores'], 'core')}, "
        f"load {machine['load_1min']}{limit}, {machine['system']}\n         {versions}"
    )
