"""What a study found, as JSON and as a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from mot_dinov3 import __version__
from mot_dinov3.lab.recordings.front import (
    find_pareto_front,
    group_by_family,
    interpolate_quality,
    quality_ends,
    recovery,
)
from mot_dinov3.lab.recordings.recording import FORMAT, Recording, describe_recording
from mot_dinov3.lab.recordings.study import CEILING, FLOOR, SCORES, Point
from mot_dinov3.wording import counted

HOTA, AGREEMENT = "HOTA", "identity agreement"


def group_by_source(points: Sequence[Point]) -> dict[str, list[Point]]:
    """Source -> its points."""
    out: dict[str, list[Point]] = {}
    for point in points:
        out.setdefault(point.source, []).append(point)
    return out


def quality_name(points: Sequence[Point]) -> str:
    """What quality means for the points of one source."""
    return HOTA if points[0].scores else AGREEMENT


def build_document(
    points: Sequence[Point], recordings: Mapping[str, Recording], shares: Sequence[float]
) -> dict[str, Any]:
    """Build the JSON document, under stable names; the same in every run of the same recordings.

    Args:
        points: what was found.
        recordings: name -> recording.
        shares: of crops at which the families are compared.
    """
    return {
        "format": FORMAT,
        "version": __version__,
        "recordings": {name: describe_recording(item) for name, item in recordings.items()},
        "sources": {
            source: _build_source(own, shares) for source, own in group_by_source(points).items()
        },
    }


def _build_source(points: Sequence[Point], shares: Sequence[float]) -> dict[str, Any]:
    floor, ceiling = quality_ends(points)
    by_share, by_time = find_fronts(points)
    rows = []
    for point in points:
        rows.append(
            {
                "policy": point.case.policy,
                "family": point.case.family,
                "budget_ms": point.case.budget_ms,
                "budget_crops": point.case.budget_crops,
                "cheap": point.case.cheap,
                "frames": point.frames,
                "crops": point.crops,
                "share": point.share,
                "embed_ms": point.embed_ms,
                "frame_ms": point.frame_ms,
                "quality": point.quality,
                "gap_recovery": recovery(point, floor, ceiling),
                "agreement": point.agreement,
                **point.scores,
                "front_of_share": point in by_share,
                "front_of_time": point in by_time,
                "sha256": point.sha256,
            }
        )
    return {
        "quality": quality_name(points),
        "never": floor,
        "always": ceiling,
        "gap": round(ceiling - floor, 3),
        "points": rows,
        "at_share": _compare_at_shares(points, shares),
    }


def _compare_at_shares(points: Sequence[Point], shares: Sequence[float]) -> dict[str, Any]:
    """Family -> share in percent -> quality and the part of the gap that it recovers."""
    floor, ceiling = quality_ends(points)
    out: dict[str, Any] = {}
    for family, own in group_by_family(points).items():
        if family in (FLOOR.line, CEILING.line):
            continue
        out[family] = {}
        for share in shares:
            quality = interpolate_quality(own, share / 100)
            known = quality is not None and ceiling > floor
            part = round(100 * ((quality or 0) - floor) / (ceiling - floor), 2) if known else None
            out[family][f"{share:g}"] = {"quality": quality, "gap_recovery": part}
    return out


def find_fronts(points: Sequence[Point]) -> tuple[list[Point], list[Point]]:
    """Find the Pareto fronts of one source: over share of crops, and over milliseconds a frame."""
    return (
        find_pareto_front(points, lambda point: point.share),
        find_pareto_front(points, lambda point: point.frame_ms),
    )


def format_table(points: Sequence[Point], shares: Sequence[float]) -> str:
    """Format all sources: a row per case, cheapest first, then the families at shares."""
    return "\n\n".join(
        "\n".join([*_format_rows(source, own), *_format_shares(own, shares)])
        for source, own in group_by_source(points).items()
    )


def _format_rows(source: str, points: Sequence[Point]) -> list[str]:
    floor, ceiling = quality_ends(points)
    by_share, by_time = find_fronts(points)
    width = max(len(point.case.title) for point in points)
    build_evaluation_case = bool(points[0].scores)
    names = [*SCORES, "agreement"] if build_evaluation_case else ["agreement"]
    head = "".join(f"{name:>10}" for name in names)
    first = points[0]
    lines = [
        f"{source}: {counted(first.frames, 'frame')}; quality is {quality_name(points)}, "
        f"{floor:.2f} for never, {ceiling:.2f} for always",
        f"  {'':<{width}}  crops   share  embed ms  frame ms{head}  recovered  front",
    ]
    for point in sorted(points, key=lambda item: (item.share, item.case.title)):
        values = {**point.scores, "agreement": point.agreement}
        cells = "".join(
            f"{values[name]:>10.0f}" if name == "idsw" else f"{values[name]:>10.2f}"
            for name in names
        )
        part = recovery(point, floor, ceiling)
        front = " ".join(
            word for word, own in (("share", by_share), ("ms", by_time)) if point in own
        )
        lines.append(
            f"  {point.case.title:<{width}}{point.crops:>7}{100 * point.share:>7.1f}%"
            f"{point.embed_ms:>10.2f}{point.frame_ms:>10.2f}{cells}"
            f"{'-' if part is None else f'{part:.1f}%':>11}  {front}".rstrip()
        )
    return lines


def _format_shares(points: Sequence[Point], shares: Sequence[float]) -> list[str]:
    found = _compare_at_shares(points, shares)
    if not found or not shares:
        return []
    head = "".join(f"{f'{share:g} %':>18}" for share in shares)
    lines = [f"  {'at a share of crops':<20}{head}"]
    for family, values in found.items():
        cells = ""
        for cell in values.values():
            part = "" if cell["gap_recovery"] is None else f" ({cell['gap_recovery']:.0f} %)"
            known = cell["quality"] is not None
            words = f"{cell['quality']:.2f}{part}" if known else "-"
            cells += f"{words:>18}"
        lines.append(f"  {family:<20}{cells}")
    return lines
