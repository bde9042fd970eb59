"""The table of properties; a new one is a check with its inputs and one line here."""

from __future__ import annotations

from mot_dinov3.registry import Registry

_HERE = "mot_dinov3.lab.selftest.properties"
PROPERTIES = Registry(
    "property",
    {
        "boxes-iou": f"{_HERE}.boxes:iou_is_a_symmetric_share",
        "boxes-convert": f"{_HERE}.boxes:conversions_are_inverse",
        "boxes-pairs": f"{_HERE}.boxes:overlapping_pairs_are_those_with_common_area",
        "plan": f"{_HERE}.plans:every_detection_has_one_fate",
        "budget": f"{_HERE}.plans:no_more_is_embedded_than_the_budget_allows",
        "tracker": f"{_HERE}.machine:TrackerMachine",
        "config": f"{_HERE}.settings:what_is_accepted_runs",
        "mot-text": f"{_HERE}.mot_text:any_text_is_read_or_refused",
        "mot-table": f"{_HERE}.mot_text:what_is_written_is_read_back",
        "journal-line": f"{_HERE}.journals:any_line_is_read_or_refused",
        "journal-cut": f"{_HERE}.journals:a_journal_cut_anywhere_is_read_to_the_cut",
    },
)
"""Each is a `Property`, or a state machine."""
