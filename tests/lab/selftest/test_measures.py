"""A tenth of every sweep that starts processes; the whole ones are run by hand."""

from __future__ import annotations

import pytest

from mot_dinov3.commands import main


@pytest.mark.slow
@pytest.mark.parametrize("name", ["faults", "kills", "signals", "disk-full", "hub", "secrets"])
def test_nothing_breaks_a_promise(name, capsys):
    code = main(["selftest", name])
    assert code == 0, capsys.readouterr().out
