"""What the settings of a model may ask for: checked before anything is built of them.

A `config.json` is a few lines of text, and may ask for a network of any size. Its weights bound
what is believed: a network cannot have many more parameters than its file has bytes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from mot_dinov3.errors import ModelError
from mot_dinov3.runtime.limits import MB

WEIGHTS = "*.safetensors"
SPARE_BYTES = 64 * MB
"""What the weights may lack: heads and tables that a frozen backbone does without."""

MOST_LAYERS, MOST_WIDTH, MOST_EDGE_PX = 1000, 131_072, 16_384
BOUNDS = {
    "hidden_size": (1, MOST_WIDTH),
    "hidden_sizes": (1, MOST_WIDTH),
    "embed_dim": (1, MOST_WIDTH),
    "embedding_size": (1, MOST_WIDTH),
    "intermediate_size": (1, 4 * MOST_WIDTH),
    "projection_dim": (1, MOST_WIDTH),
    "mlp_ratio": (0, 1000),
    "num_hidden_layers": (1, MOST_LAYERS),
    "num_layers": (1, MOST_LAYERS),
    "depths": (1, MOST_LAYERS),
    "num_attention_heads": (1, MOST_WIDTH),
    "num_heads": (1, MOST_WIDTH),
    "num_channels": (1, 1024),
    "num_register_tokens": (0, 10_000),
    "image_size": (1, MOST_EDGE_PX),
    "patch_size": (1, MOST_EDGE_PX),
    "vocab_size": (1, 10_000_000),
    "max_position_embeddings": (1, 10_000_000),
}
"""Setting -> the least and the most that any model has."""
CODE = "attn_implementation"
"""A part of the names of settings that transformers may take for code to fetch."""


def check_settings(settings: Mapping[str, Any], directory: Path, name: str) -> None:
    """Refuse settings that no model has, or that its weights cannot fill.

    Args:
        settings: of `config.json`; parts of a model have settings of their own inside.
        directory: holds the weights.
        name: the model as the user knows it, for messages.

    Raises:
        ModelError: it names the setting.
    """
    weight_bytes = sum(path.stat().st_size for path in directory.glob(WEIGHTS) if path.is_file())
    parts = list(_parts_of(settings))
    for part in parts:
        for key, value in part.items():
            _check_value(key, value, name)
    for part in parts:
        if estimate_parameters(part) > weight_bytes + SPARE_BYTES:
            raise ModelError(
                f"The config.json of '{name}' asks for a network of more than "
                f"{estimate_parameters(part):.0e} parameters, and its weights have "
                f"{weight_bytes:.0e} bytes.",
                fix="One of the two files belongs to another model: fetch it again, or choose "
                "another --embed-model.",
            )


def estimate_parameters(part: Mapping[str, Any]) -> float:
    """The least number of parameters of a transformer with these settings; 0 if it is not one."""
    width, layers = _number(part, "hidden_size"), _number(part, "num_hidden_layers")
    patch = max(1.0, _number(part, "patch_size"))
    places = (_number(part, "image_size") / patch) ** 2 + _number(part, "vocab_size")
    # Projections of queries, keys, values and results, and two products with the inner layer.
    return layers * width * (4 * width + 2 * _number(part, "intermediate_size")) + places * width


def _parts_of(settings: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """The settings, and those of its parts such as `vision_config`."""
    yield settings
    for value in settings.values():
        if isinstance(value, dict):
            yield from _parts_of(value)


def _check_value(key: str, value: Any, name: str) -> None:  # noqa: ANN401 - any JSON
    if key in BOUNDS:
        least, most = BOUNDS[key]
        values = value if isinstance(value, list) else [value]
        wrong = [one for one in values if one is not None and not _is_within(one, least, most)]
        if wrong or len(values) > MOST_LAYERS:
            raise ModelError(
                f"The config.json of '{name}' has {key} {str(wrong or values)[:60]}, which must "
                f"lie between {least} and {most}.",
                fix="Fetch or save the model again, or choose another --embed-model.",
            )
    if CODE in key and isinstance(value, str) and ("/" in value or ":" in value):
        raise ModelError(
            f"The config.json of '{name}' names code to fetch ({key} '{value[:60]}').",
            fix=f"Remove {key} from it, or choose another --embed-model.",
        )


def _is_within(value: Any, least: float, most: float) -> bool:  # noqa: ANN401 - any JSON
    return isinstance(value, (int, float)) and least <= value <= most


def _number(part: Mapping[str, Any], key: str) -> float:
    value = part.get(key, 0)
    value = max(value, default=0) if isinstance(value, list) else value
    return float(value) if isinstance(value, (int, float)) else 0.0
