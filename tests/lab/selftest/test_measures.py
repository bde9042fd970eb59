"""A part of every sweep that starts processes; the whole ones are run by hand."""

from __future__ import annotations

import pytest

from mot_dinov3.commands import main
from mot_dinov3.lab.selftest import kills


@pytest.mark.slow
@pytest.mark.parametrize("name", ["faults", "kills", "signals", "disk-full", "hub", "secrets"])
def test_nothing_breaks_a_promise(name, capsys, monkeypatch):
    monkeypatch.setattr(kills, "KILLS", 100)  # a tenth hits start, middle and end, and resumes
    code = main(["selftest", name])
    assert code == 0, capsys.readouterr().out
