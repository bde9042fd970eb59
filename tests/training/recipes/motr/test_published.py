"""The authors' names lead to ours: a state of the same names and shapes is taken over whole.

The names are those of their public programs; their weights were never seen.
"""

from __future__ import annotations

import re

import pytest
import torch

from helpers.motr_runs import recipe_of, write_films
from mot_dinov3.nets.detr.heads import HeadShape
from mot_dinov3.nets.maps.residual import ResNetMaps
from mot_dinov3.nets.motr.network import MotrNetwork
from mot_dinov3.training.recipes.motr.published import rename
from mot_dinov3.training.recipes.motr.starting import start_network

DIM, QUERIES = 64, 10
LINEAR = {"weight": (DIM, DIM), "bias": (DIM,)}
NORM = {"weight": (DIM,), "bias": (DIM,)}
WIDE = {"linear1.weight": (4 * DIM, DIM), "linear1.bias": (4 * DIM,),
        "linear2.weight": (DIM, 4 * DIM), "linear2.bias": (DIM,)}  # fmt: skip
DEFORMABLE = {"sampling_offsets": 256, "attention_weights": 128, "value_proj": DIM,
              "output_proj": DIM}  # fmt: skip


OURS = "content_norm", "renewal"


def spread(stem, shapes):
    return {f"{stem}.{name}": shape for name, shape in shapes.items()}


def list_shapes(updater):
    """Their names and shapes, with one layer in encoder and decoder, for a width of 64."""
    out = {"det_query_embed": (QUERIES, 2 * DIM), "transformer.level_embed": (4, DIM)}
    out |= spread("transformer.reference_points", {"weight": (2, DIM), "bias": (2,)})
    for level, channels in enumerate((128, 256, 512, 512)):
        kernel = 3 if level == 3 else 1
        out[f"feature_projs.{level}.0.weight"] = (DIM, channels, kernel, kernel)
        out |= spread(f"feature_projs.{level}.1", NORM) | {f"feature_projs.{level}.0.bias": (DIM,)}
    for stem, attention, norms in (("encoder", "self_attn", 2), ("decoder", "cross_attn", 3)):
        layer = f"transformer.{stem}.layers.0"
        for part, rows in DEFORMABLE.items():
            out |= spread(f"{layer}.{attention}.{part}", {"weight": (rows, DIM), "bias": (rows,)})
        out |= spread(layer, WIDE)
        for number in range(norms):
            out |= spread(f"{layer}.norm{number + 1}", NORM)
    out |= {"transformer.decoder.layers.0.self_attn.in_proj_weight": (3 * DIM, DIM),
            "transformer.decoder.layers.0.self_attn.in_proj_bias": (3 * DIM,)}  # fmt: skip
    out |= spread("transformer.decoder.layers.0.self_attn.out_proj", LINEAR)
    out |= {"class_embed.0.weight": (1, DIM), "class_embed.0.bias": (1,)}
    for number in range(3):
        rows = 4 if number == 2 else DIM
        out |= spread(f"bbox_embed.0.layers.{number}", {"weight": (rows, DIM), "bias": (rows,)})
    network = MotrNetwork(ResNetMaps("resnet18"), HeadShape("deformable", 1, 5, DIM, 1, 1), updater)
    for name, value in network.backbone.state_dict().items():
        out[f"backbone.backbone.{name}"] = tuple(value.shape)
    for name, value in network.updater.state_dict().items():
        out |= name_theirs(updater, name, tuple(value.shape))
    return out


def name_theirs(updater, name, shape):
    if updater == "memotr" or name.startswith(("query_pos_head", *OURS)):
        return {} if name.startswith(OURS) else {f"query_updater.{name}": shape}
    stem = "query_updater.samba."
    united = re.fullmatch(r"(layers\.\d+\.mixer)\.self_attn\.in_proj_(weight|bias)", name)
    if united:
        rows = (shape[0] // 3, *shape[1:])
        names = (f"self_attn_layers.0.{letter}_proj_{united[2]}" for letter in "qkv")
        return {f"{stem}{united[1]}.{one}": rows for one in names}
    for ours, theirs in ((".self_attn.", ".self_attn_layers.0."), (".ffn.", ".ffn_layers.0."),
                         ("mixer.pre_norm.", "mixer.pre_norms.0."),
                         ("mixer.norm.", "mixer.norms.0.")):  # fmt: skip
        name = name.replace(ours, theirs)
    return {stem + name: shape}


def draw(updater):
    generator = torch.Generator().manual_seed(0)
    shapes = list_shapes(updater)
    return {name: torch.randn(shape, generator=generator) for name, shape in shapes.items()}


@pytest.mark.parametrize("updater", ["samba", "memotr"])
def test_a_state_of_their_names_and_shapes_is_taken_over(tmp_path, updater):
    state = draw(updater)
    torch.save({"model": state}, tmp_path / "theirs.pth")
    recipe = recipe_of(
        write_films(tmp_path / "films"), backbone="resnet18", decoder_layers=1, updater=updater
    )
    network = recipe.build(recipe.open_data())
    before = {name: value.clone() for name, value in network.state_dict().items()}
    start_network(network, str(tmp_path / "theirs.pth"))
    after = network.state_dict()
    changed = {name for name in after if not torch.equal(after[name], before[name])}
    own = ("search.", "enter.", "head.model.enc_output", "head.model.pos_trans",
           "updater.content_norm", "updater.renewal")  # fmt: skip
    last = ("class_embed.1", "bbox_embed.1")
    left = {n for n in after if n.startswith(own) or any(part in n for part in last)}
    assert set(after) - changed == left
    query, key, value = state["transformer.decoder.layers.0.self_attn.in_proj_weight"].chunk(3)
    stem = "head.model.decoder.layers.0.self_attn"
    for letter, part in zip("qkv", (query, key, value), strict=True):
        assert torch.equal(after[f"{stem}.{letter}_proj.weight"], part)
    assert torch.equal(after["backbone.conv1.weight"], state["backbone.backbone.conv1.weight"])


def test_what_has_no_name_here_is_left_out():
    state = draw("samba")
    found = rename(state)
    theirs = {"det_query_embed", "transformer.reference_points.weight"}
    values = [value for name, value in state.items() if name in theirs]
    assert not any(one is value for one in found.values() for value in values)
    assert not any("transformer" in name or "query_updater" in name for name in found)
