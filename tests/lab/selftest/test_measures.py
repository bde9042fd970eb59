"""A part of every sweep that starts processes; the whole ones are run by hand."""

from __future__ import annotations

import pytest

from mot_dinov3.commands import main
from mot_dinov3.lab.selftest import base

SHARES = {
    "faults": 0.1,
    "kills": 0.05,
    "signals": 0.05,
    "disk-full": 0.1,
    "hub": 0.1,
    "secrets": 0.1,
}
"""Ten kills hit starts, ends and the middle, resume three runs, and have every rate and file."""


@pytest.mark.slow
@pytest.mark.parametrize("name", SHARES)
def test_nothing_breaks_a_promise(name, capsys, monkeypatch):
    monkeypatch.setattr(base, "QUICK_SHARE", SHARES[name])
    code = main(["selftest", name])
    assert code == 0, capsys.readouterr().out
