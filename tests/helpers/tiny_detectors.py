"""Detectors of transformers that are built in milliseconds, with random weights and two classes."""

from __future__ import annotations

from pathlib import Path

NAMES = {0: "person", 1: "head"}
QUERIES = 10
WIDTH = 32
HEADS = {
    "encoder_attention_heads": 2,
    "decoder_attention_heads": 2,
    "encoder_ffn_dim": 16,
    "decoder_ffn_dim": 16,
    "num_queries": QUERIES,
}
LEVELS = ["stage2", "stage3", "stage4"]
TRUNK = {
    "embedding_size": 8,
    "hidden_sizes": [8, 8, 16, 16],
    "depths": [1, 1, 1, 1],
    "layer_type": "basic",
}


def _backbone(kind, levels):
    import transformers

    return {
        "backbone_config": getattr(transformers, kind)(**TRUNK, out_features=levels),
        "use_timm_backbone": False,
        "use_pretrained_backbone": False,
        "backbone": None,
    }


def _detr(levels=("stage4",), layers=1):
    layers = {"encoder_layers": 1, "decoder_layers": layers}
    return {**HEADS, **layers, "d_model": WIDTH, **_backbone("ResNetConfig", [*levels])}


def _dab():
    config = _detr()
    return {"hidden_size": config.pop("d_model"), **config}


def _rt_detr(**more):
    return {
        **HEADS,
        "backbone_config": _backbone("RTDetrResNetConfig", LEVELS)["backbone_config"],
        "encoder_hidden_dim": WIDTH,
        "encoder_in_channels": [8, 16, 16],
        "encoder_layers": 1,
        "d_model": WIDTH,
        "decoder_in_channels": [WIDTH] * 3,
        "decoder_layers": 2,
        "decoder_n_points": 2,
        "hidden_expansion": 0.5,
        **more,
    }


def _rf_detr():
    from transformers import RfDetrDinov2Config

    backbone = RfDetrDinov2Config(
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        image_size=96,
        patch_size=16,
        num_windows=2,
        out_indices=[1, 2],
    )
    return {
        "backbone_config": backbone,
        "d_model": WIDTH,
        "decoder_ffn_dim": 16,
        "decoder_layers": 2,
        "decoder_self_attention_heads": 2,
        "decoder_cross_attention_heads": 2,
        "group_detr": 1,
        "num_queries": QUERIES,
    }


def _yolos():
    return {
        "hidden_size": 16,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
        "intermediate_size": 16,
        "image_size": [64, 96],
        "num_detection_tokens": QUERIES,
    }


FAMILIES = {
    "Detr": _detr,
    "ConditionalDetr": _detr,
    "DabDetr": _dab,
    "DeformableDetr": lambda: _detr(LEVELS, layers=2),
    "RTDetr": _rt_detr,
    "RTDetrV2": _rt_detr,
    "DFine": lambda: _rt_detr(decoder_n_points=[2, 2, 2]),
    "RfDetr": _rf_detr,
    "Yolos": _yolos,
}
"""Beginning of the names of its classes in transformers -> its settings."""


def save_tiny_detector(family: str, folder: Path, seed: int = 0) -> Path:
    """Write a detector as `save_pretrained` does, without a processor; its weights are random."""
    import torch
    import transformers

    from mot_dinov3.perception.pretrained import quiet_transformers

    torch.manual_seed(seed)
    config = getattr(transformers, f"{family}Config")(
        **FAMILIES[family](), id2label=NAMES, label2id={name: i for i, name in NAMES.items()}
    )
    with quiet_transformers():
        model = getattr(transformers, f"{family}ForObjectDetection")(config)
        model.save_pretrained(folder)
    return folder


def save_processor(name: str, folder: Path, **settings) -> Path:
    """Write an image processor beside a model."""
    import transformers

    getattr(transformers, name)(**settings).save_pretrained(folder)
    return folder
