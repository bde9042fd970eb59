"""Loaded models that several trackers share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self

from mot_dinov3.config import OF_DETECTOR
from mot_dinov3.errors import UsageError
from mot_dinov3.runs.library.pictures import name_kind
from mot_dinov3.runs.library.settings import (
    MODEL_STAGES,
    OF_EACH_TRACKER,
    build_config,
    list_keys_of,
    read_settings,
)

if TYPE_CHECKING:
    from mot_dinov3.systems.shelf import ModelShelf


class Models:
    """A detector and an embedder for any number of trackers, loaded once.

    Trackers that share models take turns, also from several threads. What a model remembers of
    the frames of one video is never shared: each tracker has a copy of such a model.

    Attributes:
        values: the settings that chose the models: name of a flag -> value.
        shelf: the models.
    """

    def __init__(self, values: Mapping[str, Any], shelf: ModelShelf) -> None:
        self.values = dict(values)
        self.shelf = shelf

    @classmethod
    def load(cls, **flags: Any) -> Self:  # noqa: ANN401 - as many kinds as settings have
        """Load the models that are named; others are loaded when they are first needed.

        Args:
            flags: settings of detector, device, embedder and cheap evidence by the names of
                their flags, such as `det="yolov8n.pt"` or `embedder="onnx"`.

        Raises:
            MotError: a setting is wrong, or a model cannot be loaded.
        """
        from mot_dinov3.systems.shelf import ModelShelf

        values = read_settings("Models.load()", flags, list_keys_of(*MODEL_STAGES))
        models = cls(values, ModelShelf(build_config(values)))
        named = values.get("embedder"), values.get("cheap_evidence")
        reads_detector = any(name in OF_DETECTOR for name in named)
        given = {"embedder", "embed_model", "dinov3"} & values.keys()
        models.shelf.take(detector="det" in values or reads_detector, embedders=bool(given))
        return models

    @staticmethod
    def require(models: object) -> None:
        """Refuse what is not `Models`, such as the model of another package.

        Args:
            models: what a caller gives as `models=`, None for nothing.

        Raises:
            UsageError: it is something else.
        """
        if models is not None and not isinstance(models, Models):
            raise UsageError(
                f"models= is {name_kind(models)}, not Models of this package.",
                fix="Load them by Models.load(det='yolov8n.pt'); boxes of a model of your own go "
                "to update().",
            )

    def merge(self, caller: str, values: Mapping[str, Any]) -> dict[str, Any]:
        """The settings of a tracker that shares these models.

        Args:
            caller: what got the values, for messages.
            values: configuration key -> value.

        Raises:
            UsageError: a value would need other models.
        """
        wanted = (list_keys_of(*MODEL_STAGES) - OF_EACH_TRACKER) & values.keys()
        for key in sorted(wanted):
            if values[key] != self.values.get(key):
                raise UsageError(
                    f"{caller} shares models, which were loaded without {key}={values[key]!r}.",
                    fix=f"Give {key}= to Models.load().",
                )
        return {**self.values, **values}
