"""JSON and YAML from anywhere: bounded in size and depth, and plain values alone."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from mot_dinov3.runtime.limits import MODEL_NOTES, MOST_DEPTH, TextLimit, is_too_deep
from mot_dinov3.runtime.opening import read_text

TOO_DEEP = f"lists or tables are more than {MOST_DEPTH} inside each other"


def read_json(path: Path, limit: TextLimit = MODEL_NOTES) -> Any:  # noqa: ANN401 - any document
    """Read a JSON file.

    Raises:
        OSError: it is not a regular file within `limit`.
        ValueError: it is not JSON in UTF-8, or nested too deep.
    """
    return parse_json(read_text(path, limit))


def parse_json(text: str) -> Any:  # noqa: ANN401 - any document
    """Parse JSON.

    Raises:
        ValueError: it is not JSON, or nested too deep.
    """
    try:
        document = json.loads(text)
    except RecursionError:
        raise ValueError(TOO_DEEP) from None
    if is_too_deep(document):
        raise ValueError(TOO_DEEP)
    return document


def read_yaml(path: Path, limit: TextLimit = MODEL_NOTES) -> Any:  # noqa: ANN401 - any document
    """Read a YAML file of plain values; aliases, which can make few bytes many, are refused.

    Raises:
        OSError: it is not a regular file within `limit`.
        ValueError: it is not YAML in UTF-8, has aliases, or is nested too deep.
    """
    import yaml

    try:
        text = read_text(path, limit)
        depth = 0
        for event in yaml.parse(text, Loader=yaml.SafeLoader):
            if isinstance(event, yaml.AliasEvent):
                raise ValueError("it has aliases")
            depth += isinstance(event, yaml.CollectionStartEvent)
            depth -= isinstance(event, yaml.CollectionEndEvent)
            if depth > MOST_DEPTH:
                raise ValueError(TOO_DEEP)
        return yaml.safe_load(text)
    except (yaml.YAMLError, RecursionError) as error:
        raise ValueError("it is not YAML") from error
