"""Files take their places together or not at all."""

from __future__ import annotations

import pytest

from mot_dinov3.errors import OutputError
from mot_dinov3.runs.relink.renaming import Renaming


def shout(source, target, new_of):
    target.write_text(source.read_text().upper())


def files(tmp_path):
    for name in "ab":
        (tmp_path / f"{name}.txt").write_text(name)
    return [tmp_path / "a.txt", tmp_path / "b.txt"]


def test_nothing_changes_before_it_is_published(tmp_path):
    a, b = files(tmp_path)
    with Renaming({}) as renaming:
        made = renaming.rewrite(a, shout)
        renaming.rewrite(b, shout)
        assert (a.read_text(), b.read_text(), made.read_text()) == ("a", "b", "A")
        assert renaming.files == [a, b]
        renaming.publish()
    assert (a.read_text(), b.read_text()) == ("A", "B")
    assert sorted(tmp_path.iterdir()) == [a, b]


@pytest.mark.parametrize("problem", [ValueError, KeyboardInterrupt])
def test_what_breaks_off_leaves_nothing_behind(tmp_path, problem):
    a, b = files(tmp_path)

    def fail(source, target, new_of):
        target.write_text("half")
        raise problem

    def rewrite_both():
        with Renaming({}) as renaming:
            renaming.rewrite(a, shout)
            renaming.rewrite(b, fail)

    with pytest.raises(problem):
        rewrite_both()
    assert (a.read_text(), b.read_text()) == ("a", "b")
    assert sorted(tmp_path.iterdir()) == [a, b]


def test_a_full_disk_is_told_with_the_name_of_the_file(tmp_path):
    (a, _) = files(tmp_path)

    def full(source, target, new_of):
        raise OSError(28, "No space left on device")

    with pytest.raises(OutputError, match=r"a\.txt': No space left"), Renaming({}) as renaming:
        renaming.rewrite(a, full)


def test_another_place_leaves_the_source_alone(tmp_path):
    (a, _) = files(tmp_path)
    with Renaming({}) as renaming:
        renaming.rewrite(a, shout, tmp_path / "new" / "a.txt")
        renaming.publish()
    assert (a.read_text(), (tmp_path / "new" / "a.txt").read_text()) == ("a", "A")
