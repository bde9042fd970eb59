"""The architectures of transformers that answer with a set of boxes, and how each is read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mot_dinov3.errors import ModelError, reason_of
from mot_dinov3.perception import pretrained
from mot_dinov3.perception.pretrained import model_type_of, quiet_transformers
from mot_dinov3.runtime.documents import read_json

TASK = "ForObjectDetection"
PROCESSOR_FILE = "preprocessor_config.json"
DETR, DEFORMABLE, RT_DETR = (
    "DetrImageProcessor",
    "DeformableDetrImageProcessor",
    "RTDetrImageProcessor",
)
STEP_PX = 32


@dataclass(frozen=True, slots=True)
class Family:
    """How the answer of an architecture is read, and what it sees unless its files say so.

    Attributes:
        processor: the class of transformers that prepares pictures where no file says how.
        has_nothing: the last class means that there is no object, and scores add up to 1 (softmax);
            otherwise each class has a score of its own (sigmoid).
        smooth: pictures that become smaller are smoothed.
    """

    processor: str
    has_nothing: bool = False
    smooth: bool = True


FAMILIES: Mapping[str, Family] = {
    "conditional_detr": Family("ConditionalDetrImageProcessor"),
    "d_fine": Family(RT_DETR),
    "dab-detr": Family("ConditionalDetrImageProcessor"),
    "deformable_detr": Family(DEFORMABLE),
    "deimv2": Family(RT_DETR),
    "detr": Family(DETR, has_nothing=True),
    "lw_detr": Family(DEFORMABLE),
    "rf_detr": Family("RfDetrImageProcessor", smooth=False),
    "rt_detr": Family(RT_DETR),
    "rt_detr_v2": Family(RT_DETR),
    "table-transformer": Family(DETR, has_nothing=True),
    "yolos": Family("YolosImageProcessor", has_nothing=True),
}
"""What `config.json` calls an architecture -> how it is read, as the processors of transformers
read it (their `post_process_object_detection`)."""


def find_family(directory: Path, name: str) -> Family:
    """The family of the model in a directory, by its `config.json`.

    Args:
        directory: of the model.
        name: the model as the user knows it.

    Raises:
        ModelError: it is not a detector, or one that is read in another way.
    """
    kind = model_type_of(directory, name)
    made = read_json(directory / "config.json").get("architectures") or []
    others = [str(one) for one in made if not str(one).endswith(TASK)]
    if kind not in FAMILIES or (made and len(others) == len(made)):
        what = f"a {others[0][:60]}" if others else f"a '{kind}' model"
        raise ModelError(
            f"'{name}' is {what}, not a detector that --det hf: can run.",
            fix=f"Give a model of one of these kinds, made for object detection: "
            f"{', '.join(sorted(FAMILIES))}.",
        )
    return FAMILIES[kind]


def load_processor(directory: Path, family: Family, config: Any, name: str) -> Any:  # noqa: ANN401
    """The image processor of a model; the usual one of its family where it brings none.

    Args:
        directory: of the model.
        family: of the model.
        config: its configuration.
        name: the model as the user knows it.

    Raises:
        ModelError: the processor's file cannot be used.
    """
    try:
        if (directory / PROCESSOR_FILE).is_file():
            return pretrained.load_processor(directory)
        with quiet_transformers():
            import transformers

            edge = find_input_edge(config)
            size = {"size": {"height": edge, "width": edge}} if edge else {}
            return getattr(transformers, family.processor)(**size)
    except Exception as error:  # settings of any kind go wrong in any way
        raise ModelError(
            f"The {PROCESSOR_FILE} of '{name}' cannot be used ({reason_of(error)}).",
            fix="Fetch or save the model again, or choose another --det.",
        ) from error


def find_input_edge(config: Any) -> int:  # noqa: ANN401 - a configuration of transformers
    """The side of the square that a model with windows was made for; 0 for one without."""
    return int(config.backbone_config.image_size) if _count_windows(config) else 0


def find_step(config: Any) -> int:  # noqa: ANN401 - a configuration of transformers
    """What the sides of an input have to be multiples of: whole windows, or the coarsest map."""
    windows = _count_windows(config)
    return windows * int(config.backbone_config.patch_size) if windows else STEP_PX


def _count_windows(config: Any) -> int:  # noqa: ANN401 - a configuration of transformers
    return int(getattr(getattr(config, "backbone_config", None), "num_windows", 0) or 0)
