"""The only loader of transformers models: from a directory, safetensors only, no remote code.

It reads architecture, weights and preprocessing, and explains in a sentence what is wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from mot_dinov3.errors import ModelError, MotError, reason_of
from mot_dinov3.perception.backends.digest import WEIGHTS, list_model_files
from mot_dinov3.perception.features.crops import InputSpec
from mot_dinov3.perception.hub.problems import UnsupportedModelError
from mot_dinov3.perception.model_settings import check_settings
from mot_dinov3.runtime.documents import read_json
from mot_dinov3.runtime.git_lfs import refuse_pointer
from mot_dinov3.wording import counted

BICUBIC_FILTERS = (1, 3)
"""PIL's Lanczos and bicubic; torch has the second only."""


def model_type_of(directory: Path, name: str) -> str:
    """Read the architecture that `config.json` declares.

    Raises:
        ModelError: the file is not JSON, or says nothing.
        UnsupportedModelError: the installed transformers does not know the architecture.
    """
    import transformers

    model_type = _settings(directory / "config.json", name).get("model_type")
    if not isinstance(model_type, str):
        raise _build_damage_error("config.json", name, "it names no model_type")
    if model_type not in transformers.CONFIG_MAPPING:
        raise UnsupportedModelError(
            f"'{name}' is a '{model_type}' model, which transformers {transformers.__version__} "
            "does not know.",
            fix="Upgrade with: pip install -U transformers\n"
            "Or use an open model: --fallback-open, or --embed-model facebook/dinov2-base",
        )
    return model_type


def _settings(path: Path, name: str) -> dict[str, Any]:
    refuse_pointer(path, ModelError)
    try:
        settings = read_json(path)
    except (OSError, ValueError) as error:
        raise _build_damage_error(path.name, name, error) from error
    if not isinstance(settings, dict):
        raise _build_damage_error(path.name, name, "it holds no settings")
    return settings


def _build_damage_error(file: str, name: str, reason: Exception | str) -> ModelError:
    return ModelError(
        f"The {file} of '{name}' cannot be used ({_first_line(reason)}).",
        fix="Fetch or save the model again, or choose another --embed-model.",
    )


def check_weights(directory: Path, name: str) -> None:
    """Refuse safetensors that are not as long as their own head says, before any of it is read.

    Args:
        directory: holds them.
        name: the model as the user knows it, for messages.

    Raises:
        ModelError: one of them is cut short or damaged, has something behind its end, or is a
            pointer of git-lfs.
    """
    from safetensors import SafetensorError, safe_open

    for file in list_model_files(directory):
        if file.suffix != Path(WEIGHTS).suffix:
            continue
        refuse_pointer(file, ModelError)
        try:
            with safe_open(str(file), "numpy"):
                pass
        except (SafetensorError, OSError) as error:
            raise _build_damage_error("safetensors file", name, error) from error


def load_model(directory: Path, class_name: str, name: str) -> Any:  # noqa: ANN401 - a torch module
    """Build the model of a directory with all its weights, from safetensors only.

    Args:
        directory: has `config.json` and safetensors weights.
        class_name: the transformers class to build, such as "AutoModel".
        name: the model as the user knows it, for messages.

    Raises:
        ModelError: the weights are corrupt, incomplete or of another model.
        UnsupportedModelError: transformers has no such class for this architecture.
    """
    import torch
    import transformers
    from safetensors import SafetensorError

    for file in directory.glob("*.safetensors"):
        refuse_pointer(file, ModelError)

    check_settings(_settings(directory / "config.json", name), directory, name)
    build = getattr(transformers, class_name)
    try:
        with quiet_transformers():
            model, report = build.from_pretrained(
                str(directory),
                local_files_only=True,
                trust_remote_code=False,
                use_safetensors=True,
                ignore_mismatched_sizes=True,
                output_loading_info=True,
                dtype=torch.float32,  # half-precision files too: --embed-amp decides, not the file
            )
    except SafetensorError as error:
        raise _build_damage_error("safetensors file", name, error) from error
    except MemoryError:
        raise
    except Exception as error:  # settings of any kind go wrong in any way
        raise UnsupportedModelError(
            f"Transformers {transformers.__version__} cannot load '{name}' ({_first_line(error)}).",
            fix="Choose another --embed-model, or --embed-model demo.",
        ) from error
    _require_weights(report, name)
    _require_pictures(model, name)
    return model


def load_typed_model(directory: Path, class_name: str, kinds: Sequence[str], name: str) -> Any:  # noqa: ANN401 - a torch module
    """Load like `load_model`, for an embedder that works with some architectures only.

    Raises:
        ModelError: the model is of another kind, or cannot be loaded.
    """
    found = model_type_of(directory, name)
    if found not in kinds:
        raise ModelError(
            f"'{name}' is a '{found}' model, but this embedder needs '{kinds[0]}'.",
            fix="Choose the --embedder that fits the model; dino takes most vision models.",
        )
    return load_model(directory, class_name, name)


def _require_weights(report: Mapping[str, Any], name: str) -> None:
    """Refuse a model whose missing weights were made up at random."""
    unused = ("pooler", "mask_token")
    mismatched = {key for key, *_ in report["mismatched_keys"]}
    missing = sorted(
        key
        for key in {*report["missing_keys"], *mismatched}
        if not any(word in key for word in unused)
    )
    if missing:
        n = len(missing)
        if missing[0] in mismatched:
            found = counted(n, "parameter has another shape", "parameters have another shape")
        else:
            found = counted(n, "parameter is missing", "parameters are missing")
        raise ModelError(
            f"The weights of '{name}' do not fit its config.json: {found}, such as '{missing[0]}'.",
            fix="One of the two files belongs to another model: fetch it again, or choose "
            "another --embed-model.",
        )


def _require_pictures(model: Any, name: str) -> None:  # noqa: ANN401 - a torch module
    if getattr(model, "main_input_name", "") != "pixel_values":
        raise ModelError(
            f"'{name}' ({model.config.model_type}) does not take pictures.",
            fix="Choose a vision model, such as --embed-model facebook/dinov2-base.",
        )


def input_spec(directory: Path, model_config: Any, name: str) -> InputSpec:  # noqa: ANN401
    """Read what the model wants to see from its image processor or, without one, its config.

    The whole crop is resized to the model's final input size. Where a processor resizes to a
    larger picture and cuts out the centre, that cut is left out: `--crop-pad` alone decides how
    much context is seen, and nothing of the object is lost. For a square crop this equals the
    processor with its centre cut switched off.

    Raises:
        ModelError: the processor's file cannot be read.
    """
    if not (directory / "preprocessor_config.json").is_file():
        edge = getattr(model_config, "image_size", None) or 224
        try:
            height, width = edge if isinstance(edge, (list, tuple)) else (edge, edge)
            return InputSpec(int(height), int(width))
        except (ValueError, TypeError, OverflowError) as error:
            raise _build_damage_error("config.json", name, error) from error
    _settings(directory / "preprocessor_config.json", name)
    try:
        return spec_from_processor(load_processor(directory).to_dict())
    except MotError:
        raise
    except Exception as error:  # settings of any kind go wrong in any way
        raise _build_damage_error("preprocessor_config.json", name, error) from error


def load_processor(directory: Path) -> Any:  # noqa: ANN401 - of transformers
    """The image processor that a directory describes.

    Raises:
        Exception: of any kind, where the settings are damaged.
    """
    import transformers

    with quiet_transformers():
        return transformers.AutoImageProcessor.from_pretrained(
            str(directory), local_files_only=True, trust_remote_code=False
        )


def spec_from_processor(settings: Mapping[str, Any]) -> InputSpec:
    """Translate an image processor's settings (its `to_dict()`); see `input_spec` for the size."""
    size = settings["crop_size"] if settings.get("do_center_crop") else settings["size"]
    known = {key: value for key, value in dict(size).items() if value}
    edge = known.get("shortest_edge") or known.get("longest_edge")
    height, width = known.get("height", edge), known.get("width", edge)
    if not height or not width:
        raise ValueError(f"size {known} names no height and width")
    normalise = settings.get("do_normalize", True)
    mean = settings["image_mean"] if normalise else (0.0, 0.0, 0.0)
    std = settings["image_std"] if normalise else (1.0, 1.0, 1.0)
    return InputSpec(
        height=int(height),
        width=int(width),
        mean=_three(mean),
        std=_three(std),
        rescale=settings.get("rescale_factor", 1 / 255) if settings.get("do_rescale", True) else 1,
        bicubic=int(settings.get("resample") or 2) in BICUBIC_FILTERS,
    )


def _three(values: Any) -> tuple[float, float, float]:  # noqa: ANN401 - one number or three
    red, green, blue = values if isinstance(values, (list, tuple)) else (values,) * 3
    return float(red), float(green), float(blue)


@contextmanager
def quiet_transformers() -> Iterator[None]:
    """Keep transformers' loading bars and advice off the terminal; errors still come through."""
    from transformers.utils import logging

    verbosity = logging.get_verbosity()
    restore_bars: Callable[[], None] = (
        logging.enable_progress_bar if logging.is_progress_bar_enabled() else lambda: None
    )
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(verbosity)
        restore_bars()


def _first_line(reason: Exception | str) -> str:
    return reason_of(ValueError(reason) if isinstance(reason, str) else reason)


def load_fitting(
    network: Any,  # noqa: ANN401 - a torch module
    weights: Mapping[str, Any],
    left_out: Collection[str],
    path: Path,
) -> None:
    """Give a network the weights of a checkpoint, all of which it must have in the same shapes.

    Args:
        network: a torch module.
        weights: name -> tensor.
        left_out: names that a checkpoint does not hold.
        path: of the checkpoint, for the message.

    Raises:
        ModelError: they do not fit.
    """
    own = network.state_dict()
    wrong = {name for name in own.keys() & weights.keys() if own[name].shape != weights[name].shape}
    wrong |= (own.keys() - set(left_out)) ^ weights.keys()
    if wrong:
        raise ModelError(
            f"The weights in '{path}' do not fit their config.json: {len(wrong)} of them, such as "
            f"'{min(wrong)}'.",
            fix="Train again, or give another folder.",
        )
    network.load_state_dict(weights, strict=False)
