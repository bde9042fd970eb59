"""`--det hf:MODEL`: detectors of transformers, from a directory or by an id of the hub."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

from mot_dinov3.config import AUTO, DetectorConfig, DeviceConfig
from mot_dinov3.errors import ModelError
from mot_dinov3.perception.backends.choice import TORCH, Choice, choose_backend, read_half
from mot_dinov3.perception.detectors.base import DetectorKind
from mot_dinov3.perception.detectors.set_detector import SetDetector, SetModel
from mot_dinov3.perception.detectors.set_families import find_family, find_step, load_processor
from mot_dinov3.perception.detectors.set_input import SetInput
from mot_dinov3.perception.hub.files import model_directory
from mot_dinov3.perception.hub.problems import reword
from mot_dinov3.perception.pretrained import check_weights, load_model

LOADED_CLASS = "AutoModelForObjectDetection"
OPEN_CHOICE = "--det yolov8n.pt, or another hf: model"
WORDS = {
    "a hub id such as facebook/dinov2-base, or demo": "or a hub id such as PekingU/rtdetr_v2_r18vd",
    "--embed-model facebook/dinov2-base": "--det hf:PekingU/rtdetr_v2_r18vd",
    "--fallback-open, or ": "",
    "Or run without any download: --embed-model demo (and --det motion or --det demo)": (
        "Or run without any download: --det demo or --det motion"
    ),
    "or --embed-model demo": "or --det demo",
    "--embed-model": "--det",
    "--embed-amp": "--precision",
}
"""What the loaders of embedders advise -> the same for a detector."""


def load_hf(
    argument: str, config: DetectorConfig, device: str, settings: DeviceConfig
) -> SetDetector:
    """Load a detector of transformers: `argument` is a directory, or an id of the hub.

    Weights are safetensors, and code that comes with a model is never run. Where `--imgsz` is not
    given, pictures are made as large as the model's own image processor makes them.

    Raises:
        ModelError: the model cannot be had or loaded, or is not a detector.
        DeviceError: it does not fit on the device, or the device is too old for the precision.
        UsageError: a class is unknown, or the flags contradict each other.
    """
    from mot_dinov3.nets.set_prediction import SetPredictor
    from mot_dinov3.perception.backends.torch import TorchNetwork, TorchSettings

    choice = choose_precision(device, settings)
    with advise_on_detectors():
        directory = model_directory(argument, OPEN_CHOICE)
        family = find_family(directory, argument)
        check_weights(directory, argument)
        model = load_model(directory, LOADED_CLASS, argument)
    processor = load_processor(directory, family, model.config, argument)
    longest = 0 if config.imgsz == DetectorConfig().imgsz else config.imgsz
    seen = SetInput(processor, longest=longest, step=find_step(model.config), smooth=family.smooth)
    names = {int(number): str(name) for number, name in model.config.id2label.items()}
    loaded = SetModel(Path(argument).name, directory, names, has_nothing=family.has_nothing)
    network = TorchNetwork(
        SetPredictor(model), choice, device, argument, TorchSettings(one_size=True)
    )
    return SetDetector(config, loaded, seen, network)


HF = DetectorKind(load_hf, argument="MODEL")


def choose_precision(device: str, settings: DeviceConfig) -> Choice:
    """Torch, in float32 on a CPU unless another precision is asked for.

    Boxes come out of layers that autocast would compute in bf16, which tells 256 places apart
    along a side of the picture.

    Raises:
        UsageError, DeviceError: see `choose_backend`.
    """
    older = read_half(settings, device)
    exact = settings.precision == AUTO and not device.startswith("cuda")
    wanted = replace(settings, precision="fp32") if exact else settings
    return choose_backend(wanted, device, older, able=(TORCH,))


@contextmanager
def advise_on_detectors() -> Iterator[None]:
    """Let the loaders of embedders, which a detector uses as well, name the flags of a detector."""
    try:
        with reword(WORDS):
            yield
    except ModelError as error:
        if "TimmBackbone" in error.what and find_spec("timm") is None:
            raise ModelError(
                "The backbone of this detector comes from the package 'timm', which is not "
                "installed.",
                fix="Install it with: pip install timm",
            ) from error
        raise
