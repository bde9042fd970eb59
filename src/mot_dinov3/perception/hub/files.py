"""Models by name: a local directory, the local cache, then the Hugging Face hub.

Files are fetched one by one into the hub's own cache, so that transformers afterwards reads a
directory and never the network, and every failure is explained here and nowhere else.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path

from mot_dinov3.config.habits import MODEL_FILES
from mot_dinov3.errors import ModelError, reason_of
from mot_dinov3.perception.hub.problems import OfflineModelError, explain, unknown
from mot_dinov3.runtime.documents import read_json
from mot_dinov3.runtime.opening import is_regular

logger = logging.getLogger("mot_dinov3")

CONFIG = "config.json"
PROCESSOR = "preprocessor_config.json"
WEIGHTS = "model.safetensors"
SHARDS = "model.safetensors.index.json"
MOST_LETTERS = 100
"""Of the name of a file in a message."""
PICKLES = ("*.bin", "*.pt", "*.pth", "*.ckpt", "*.pkl")
CONVERTER = "SFconvertbot"
"""The hub's own account that offers safetensors versions of old models as pull requests."""


def model_directory(model_id: str, open_choice: str) -> Path:
    """The directory that holds a model's config and safetensors weights.

    Args:
        model_id: a local directory, or a hub id such as "facebook/dinov2-base".
        open_choice: the flags that choose a model without a gate, for messages.

    Raises:
        GatedModelError: the hub wants a token, a licence click, or has refused.
        OfflineModelError: not cached and the hub cannot be reached.
        ModelError: unknown, unreadable, or without safetensors weights.
    """
    local = Path(model_id).expanduser()
    if model_id and local.is_dir():
        check_directory(local, model_id)
        return local
    if local.is_file() or looks_like_path(model_id):
        what = "is a file, not a model directory" if local.is_file() else "does not exist"
        raise ModelError(
            f"The model directory '{model_id}' {what}.",
            fix=MODEL_FILES.get(local.suffix.lower())
            or "Give a directory with config.json and model.safetensors, a hub id such as "
            "facebook/dinov2-base, or demo.",
        )
    directory = cached_directory(model_id) or _download(model_id, open_choice)
    check_directory(directory, model_id)
    return directory


def looks_like_path(model_id: str) -> bool:
    """Whether a name that is not a directory was meant as one rather than as a hub id."""
    return (
        not model_id
        or model_id.startswith((".", "/", "~"))
        or "\\" in model_id
        or model_id.count("/") > 1
        or model_id.endswith((".safetensors", ".onnx", ".pt", ".pth", ".bin"))
    )


def check_directory(directory: Path, name: str) -> None:
    """Refuse a directory that lacks a config, or whose only weights are pickles.

    Raises:
        ModelError: saying what is missing.
    """
    if not (directory / CONFIG).is_file():
        raise ModelError(
            f"'{name}' has no {CONFIG}, so it is not a model that transformers can load.",
            fix="Give a directory saved with save_pretrained, or another --embed-model.",
        )
    if (directory / WEIGHTS).is_file():
        return
    if (directory / SHARDS).is_file():
        _require_shards(directory, name)
        return
    pickles = [path.name for pattern in PICKLES for path in sorted(directory.glob(pattern))]
    found = f"only {pickles[0]}, a pickle that could run any code" if pickles else "none"
    raise ModelError(
        f"'{name}' has no safetensors weights: there is {found}.",
        fix="Choose a model with model.safetensors; a trusted one is converted by loading it "
        "with transformers and calling save_pretrained.",
    )


def _require_shards(directory: Path, name: str) -> None:
    for shard in shards_of(directory / SHARDS):
        if Path(shard).name != shard or not is_regular(directory / shard):
            raise ModelError(
                f"'{name}' lacks the file '{shard[:MOST_LETTERS]}' that its {SHARDS} names.",
                fix="Fetch or save the model again, or choose another --embed-model.",
            )


def cached_directory(model_id: str, *, need_processor: bool = True) -> Path | None:
    """Where the hub's cache has the whole model, or None; the network is not asked.

    Args:
        model_id: a hub id.
        need_processor: the model counts as whole only when its `preprocessor_config.json` is
            there too, or the hub has said that there is none.
    """
    from huggingface_hub import constants, try_to_load_from_cache
    from huggingface_hub.errors import HFValidationError

    refs = Path(constants.HF_HUB_CACHE) / f"models--{model_id.replace('/', '--')}" / "refs"
    proposals = sorted((refs / "refs" / "pr").glob("*"))
    for revision in ("main", *(f"refs/pr/{path.name}" for path in proposals)):
        find = partial(try_to_load_from_cache, model_id, revision=revision)
        try:
            config, processor = find(CONFIG), find(PROCESSOR)
        except HFValidationError:
            return None
        known = processor is not None or not need_processor
        if isinstance(config, str) and known and _weights_cached(find):
            return Path(config).parent
    return None


def _weights_cached(find: Callable[[str], object]) -> bool:
    if isinstance(find(WEIGHTS), str):
        return True
    index = find(SHARDS)
    return isinstance(index, str) and all(isinstance(find(s), str) for s in shards_of(Path(index)))


def shards_of(index: Path) -> list[str]:
    """The weight files that a safetensors index names.

    Raises:
        ModelError: it names none.
    """
    try:
        return sorted({str(name) for name in read_json(index)["weight_map"].values()})
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ModelError(
            f"'{index}' does not say which files hold the weights.",
            fix="Fetch or save the model again, or choose another --embed-model.",
        ) from error


def _download(model_id: str, open_choice: str) -> Path:
    from huggingface_hub.errors import HFValidationError, HTTPError

    try:
        with _quiet_hub():
            _probe_hub(model_id)
            return _fetch(model_id)
    except HFValidationError as error:
        raise unknown(model_id) from error
    except (HTTPError, OSError, RuntimeError, ValueError) as error:
        problem = explain(error, model_id, open_choice)
        whole = cached_directory(model_id, need_processor=False)
        if whole is None or not isinstance(problem, OfflineModelError):
            raise problem from error
        logger.warning("No %s of %s in the cache: ImageNet's is assumed.", PROCESSOR, model_id)
        return whole


def _probe_hub(model_id: str) -> None:
    """Ask for the config once, so that a refusal, or silence, costs no half minute of retries.

    A missing config passes: it is explained where the file is fetched.
    """
    from huggingface_hub import get_hf_file_metadata, hf_hub_url
    from huggingface_hub.errors import EntryNotFoundError

    with suppress(EntryNotFoundError):
        get_hf_file_metadata(hf_hub_url(model_id, CONFIG))


def _fetch(model_id: str) -> Path:
    directory = _fetch_revision(model_id, "main")
    if directory is None and (revision := converted_revision(model_id)):
        directory = _fetch_revision(model_id, revision)
    if directory is None:
        raise ModelError(
            f"The hub's '{model_id}' has no safetensors weights.",
            fix="Choose a model with model.safetensors, such as "
            "--embed-model facebook/dinov2-base.",
        )
    return directory


def _fetch_revision(model_id: str, revision: str) -> Path | None:
    """Download what is missing, all from one commit; None when it has no safetensors weights."""
    config = _fetch_file(model_id, CONFIG, revision)
    if config is None:
        raise ModelError(
            f"The hub's '{model_id}' has no {CONFIG}, so transformers cannot load it.",
            fix="Choose a transformers vision model, such as --embed-model facebook/dinov2-base.",
        )
    commit = config.parent.name
    _fetch_file(model_id, PROCESSOR, commit)
    if _fetch_file(model_id, WEIGHTS, commit):
        return config.parent
    index = _fetch_file(model_id, SHARDS, commit)
    if index is None:
        return None
    for shard in shards_of(index):
        _fetch_file(model_id, shard, commit)
    return config.parent


def _fetch_file(model_id: str, name: str, revision: str) -> Path | None:
    """One file into the cache; None when the hub says that the model has no such file."""
    from huggingface_hub import hf_hub_download
    from huggingface_hub.errors import EntryNotFoundError, LocalEntryNotFoundError

    try:
        return Path(hf_hub_download(model_id, name, revision=revision))
    except LocalEntryNotFoundError:
        raise
    except EntryNotFoundError:
        return None


def converted_revision(model_id: str) -> str | None:
    """The pull request in which the hub's own converter offers safetensors weights, if any."""
    from huggingface_hub import get_repo_discussions
    from huggingface_hub.errors import HfHubHTTPError

    try:
        for item in get_repo_discussions(model_id, author=CONVERTER):
            if item.is_pull_request and item.author == CONVERTER and "safetensors" in item.title:
                return str(item.git_reference)
    except HfHubHTTPError as error:
        logger.debug("No discussions of %s: %s", model_id, reason_of(error))
    return None


@contextmanager
def _quiet_hub() -> Iterator[None]:
    """No advice from the hub's client, and download bars on a terminal only."""
    from huggingface_hub.utils import (
        are_progress_bars_disabled,
        disable_progress_bars,
        enable_progress_bars,
    )

    client = logging.getLogger("huggingface_hub")
    level = client.level
    hide_bars = not sys.stderr.isatty() and not are_progress_bars_disabled()
    client.setLevel(logging.ERROR)
    if hide_bars:
        disable_progress_bars()
    try:
        yield
    finally:
        client.setLevel(level)
        if hide_bars:
            enable_progress_bars()
