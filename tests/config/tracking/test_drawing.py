"""What may be asked of drawing, and the sentence for what may not."""

from __future__ import annotations

import pytest

from mot_dinov3.config import DrawConfig
from mot_dinov3.config.tracking.drawing import STYLES
from mot_dinov3.errors import UsageError
from mot_dinov3.outputs.drawing.styles import SHAPES


@pytest.mark.parametrize(
    ("labels", "words"),
    [
        ("id,class,score", ("id", "class", "score")),
        ("score", ("score",)),
        (" class , id ", ("class", "id")),
        ("none", ()),
    ],
)
def test_labels_say_what_is_asked_for_in_that_order(labels, words):
    assert DrawConfig(labels=labels).label_words == words


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("labels", "id,colour", "--labels must be none, or words of id, class, score"),
        ("labels", "", "--labels must be none"),
        ("labels", "none,id", "--labels must be none"),
        ("labels", "id,id", "--labels must be none"),
        ("style", "circle", "--style must be one of box, ellipse, corner"),
        ("blur", "faces", "--blur must be one of off, boxes, heads"),
        ("trails", -1.0, "--trails must be between 0 and 3600"),
        ("trails", float("nan"), "--trails must be between 0 and 3600"),
    ],
)
def test_what_cannot_be_drawn_is_refused(field, value, said):
    with pytest.raises(UsageError, match=said):
        DrawConfig(**{field: value})


def test_every_style_has_a_shape():
    assert tuple(SHAPES) == STYLES
