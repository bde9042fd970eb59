"""Weights of the authors' SambaMOTR and MeMOTR under our names; no such file was ever seen here.

The table was written from the names in their public programs. What they have and this network has
not is left out: learned detection queries and their places, and the places of tracks that are
learned, too. So a tracker that begins with them has to be trained on.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

import torch
from torch import Tensor

MARK = "transformer.decoder."
"""Begins names that only these checkpoints have."""
DECODER, ENCODER = "head.model.decoder.layers", "head.model.encoder.layers"
MIXER = r"query_updater\.samba\.layers\.(\d+)\.mixer"
TABLE: tuple[tuple[str, str], ...] = (
    (r"backbone\.backbone\.(.*)", r"backbone.\1"),
    (r"feature_projs\.(.*)", r"head.model.input_proj.\1"),
    (r"transformer\.level_embed", "head.model.level_embed"),
    (r"transformer\.encoder\.layers\.(\d+)\.self_attn\.(.*)", rf"{ENCODER}.\1.self_attn.\2"),
    (r"transformer\.encoder\.layers\.(\d+)\.norm1\.(.*)", rf"{ENCODER}.\1.self_attn_layer_norm.\2"),
    (r"transformer\.encoder\.layers\.(\d+)\.norm2\.(.*)", rf"{ENCODER}.\1.final_layer_norm.\2"),
    (r"transformer\.encoder\.layers\.(\d+)\.linear([12])\.(.*)", rf"{ENCODER}.\1.mlp.fc\2.\3"),
    (r"transformer\.decoder\.layers\.(\d+)\.self_attn\.out_proj\.(.*)",
     rf"{DECODER}.\1.self_attn.o_proj.\2"),
    (r"transformer\.decoder\.layers\.(\d+)\.self_attn\.(\w_proj\..*)",
     rf"{DECODER}.\1.self_attn.\2"),
    (r"transformer\.decoder\.layers\.(\d+)\.cross_attn\.(.*)", rf"{DECODER}.\1.encoder_attn.\2"),
    (r"transformer\.decoder\.layers\.(\d+)\.norm1\.(.*)",
     rf"{DECODER}.\1.encoder_attn_layer_norm.\2"),
    (r"transformer\.decoder\.layers\.(\d+)\.norm2\.(.*)", rf"{DECODER}.\1.self_attn_layer_norm.\2"),
    (r"transformer\.decoder\.layers\.(\d+)\.norm3\.(.*)", rf"{DECODER}.\1.final_layer_norm.\2"),
    (r"transformer\.decoder\.layers\.(\d+)\.linear([12])\.(.*)", rf"{DECODER}.\1.mlp.fc\2.\3"),
    (r"(?:transformer\.decoder\.)?((?:class|bbox)_embed\..*)", r"head.\1"),
    (MIXER + r"\.self_attn_layers\.0\.(.*)", r"updater.layers.\1.mixer.self_attn.\2"),
    (MIXER + r"\.ffn_layers\.0\.(.*)", r"updater.layers.\1.mixer.ffn.\2"),
    (MIXER + r"\.(pre_norm|norm)s\.0\.(.*)", r"updater.layers.\1.mixer.\2.\3"),
    (r"query_updater\.samba\.(.*)", r"updater.\1"),
    (r"query_updater\.(.*)", r"updater.\1"),
)  # fmt: skip
"""Their names, and ours; the first row that fits counts."""


def rename(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The weights under our names, as far as the table has them.

    Attention that they keep in one tensor is divided where ours has three, and the other way round.
    """
    out: dict[str, Tensor] = {}
    for name, value in _divide(weights).items():
        for theirs, ours in TABLE:
            found = re.fullmatch(theirs, name)
            if found:
                out[found.expand(ours)] = value
                break
    for name in [one for one in out if one.startswith(("head.class_embed", "head.bbox_embed"))]:
        out[name.replace("head.", "head.model.decoder.", 1)] = out[name]
    return _unite(out)


def _divide(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Query, key and value of the decoder's own attention, one by one."""
    out: dict[str, Tensor] = {}
    for name, value in weights.items():
        found = re.fullmatch(rf"({re.escape(MARK)}.*self_attn)\.in_proj_(weight|bias)", name)
        if found is None:
            out[name] = value
            continue
        for letter, part in zip("qkv", value.chunk(3), strict=True):
            out[f"{found[1]}.{letter}_proj.{found[2]}"] = part
    return out


def _unite(weights: dict[str, Tensor]) -> dict[str, Tensor]:
    """Query, key and value of the synchronisation, as one."""
    for kind in ("weight", "bias"):
        ends = [f".mixer.self_attn.{letter}_proj_{kind}" for letter in "qkv"]
        for name in [one for one in weights if one.endswith(ends[0])]:
            stem = name.removesuffix(ends[0])
            parts = [weights.pop(stem + end) for end in ends]
            weights[f"{stem}.mixer.self_attn.in_proj_{kind}"] = torch.cat(parts)
    return weights
