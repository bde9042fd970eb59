"""The table of properties; a new one is a check with its inputs and one line here."""

from __future__ import annotations

from mot_dinov3.registry import Registry

_HERE = "mot_dinov3.lab.selftest.properties"
PROPERTIES = Registry(
    "property",
    {
        "boxes-iou": (
            f"{_HERE}.boxes:iou_is_a_symmetric_share",
            "IoU is symmetric and between 0 and 1",
        ),
        "boxes-convert": (f"{_HERE}.boxes:conversions_are_inverse", "box conversions are inverse"),
        "boxes-pairs": (
            f"{_HERE}.boxes:overlapping_pairs_are_those_with_common_area",
            "overlapping pairs are those with common area",
        ),
        "plan": (f"{_HERE}.plans:every_detection_has_one_fate", "every detection has one fate"),
        "budget": (
            f"{_HERE}.plans:no_more_is_embedded_than_the_budget_allows",
            "no more is embedded than the budget allows",
        ),
        "tracker": (
            f"{_HERE}.machine:TrackerMachine",
            "the tracker keeps its promises in any order of frames",
        ),
        "config": (f"{_HERE}.settings:what_is_accepted_runs", "settings that are accepted run"),
        "mot-text": (
            f"{_HERE}.mot_text:any_text_is_read_or_refused",
            "any MOT text is read or refused",
        ),
        "mot-table": (
            f"{_HERE}.mot_text:what_is_written_is_read_back",
            "MOT text that is written is read back",
        ),
        "journal-line": (
            f"{_HERE}.frame_logs:any_line_is_read_or_refused",
            "any line of a frame log is read or refused",
        ),
        "journal-cut": (
            f"{_HERE}.frame_logs:a_frame_log_cut_anywhere_is_read_to_the_cut",
            "a frame log cut anywhere is read to the cut",
        ),
    },
)
"""Each is a `Property`, or a state machine."""
