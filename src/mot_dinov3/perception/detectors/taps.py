"""Where to cut a YOLO in OpenVINO's format: before its head decodes boxes, and behind its neck.

Decoding is cheap for the few boxes that count and costs a tenth of the whole for all of them;
with bf16 it also blurs the corners of boxes. So the network is cut where the head's last
convolutions end, and `decode.decode_levels` does the rest in float32.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mot_dinov3.perception.backends.openvino_setup import import_openvino, openvino_core
from mot_dinov3.perception.detectors.decode import decode_answer, decode_levels
from mot_dinov3.values import FloatArray

TAPS_FILE = "taps.json"
BOXES, SCORES = "cv2", "cv3"
"""The branches of Ultralytics' detection head."""
MOST_OFF_PX, MOST_OFF_SCORE = 0.05, 1e-3
"""A cut network whose boxes differ more from its own decoded answer is not cut."""


@dataclass(frozen=True, slots=True)
class Taps:
    """Names of operations in an OpenVINO model whose first output is wanted.

    Attributes:
        boxes: of each level, finest first: the box map.
        scores: of each level: the class map.
        neck: of each level: the feature map that the head reads.
    """

    boxes: tuple[str, ...]
    scores: tuple[str, ...]
    neck: tuple[str, ...]

    def to_json(self) -> str:
        """The names as text for `from_json`."""
        return json.dumps(asdict(self))

    @staticmethod
    def from_json(text: str) -> Taps:
        """Read what `to_json` wrote."""
        return Taps(**{name: tuple(names) for name, names in json.loads(text).items()})

    def cut(self, model: Any, *, neck: bool = False) -> Any:  # noqa: ANN401
        """A model with the maps of the head as outputs, those of the neck behind them.

        Args:
            model: an `openvino.Model`.
            neck: hand out the neck's maps too.
        """
        openvino = import_openvino()
        operations = {item.get_friendly_name(): item for item in model.get_ops()}
        names = (*self.boxes, *self.scores, *(self.neck if neck else ()))
        outputs = [operations[name].output(0) for name in names]
        return openvino.Model(outputs, model.get_parameters(), model.get_friendly_name())


def write_taps(path: Path, classes: int) -> None:
    """Write beside an exported model where to cut it, if its cut answer equals the whole one."""
    model = openvino_core().read_model(str(path))
    taps = find_taps(model)
    if taps is not None and taps_agree(model, taps, classes):
        (path.parent / TAPS_FILE).write_text(taps.to_json(), encoding="utf-8")


def read_taps(path: Path) -> Taps | None:
    """The note that `write_taps` left beside a model; None where there is none."""
    file = path.parent / TAPS_FILE
    return Taps.from_json(file.read_text(encoding="utf-8")) if file.is_file() else None


def find_taps(model: Any) -> Taps | None:  # noqa: ANN401 - an openvino.Model
    """Find the ends of head and neck by the names of Ultralytics' modules; None without those."""
    boxes, scores = _find_ends(model, BOXES), _find_ends(model, SCORES)
    neck = _find_inputs(model)
    if not boxes or not len(boxes) == len(scores) == len(neck):
        return None
    return Taps(boxes, scores, neck)


def taps_agree(model: Any, taps: Taps, classes: int) -> bool:  # noqa: ANN401 - an openvino.Model
    """Whether the cut model finds the boxes of the whole one in a picture of noise."""
    shape = [size.get_length() for size in model.inputs[0].get_partial_shape()]
    pixels = np.random.default_rng(0).random(shape, np.float32)
    whole = _run(model, pixels)[0][0]
    levels = _run(taps.cut(model), pixels)
    return levels_agree(levels, whole, classes, shape[2])


def levels_agree(
    levels: Sequence[FloatArray], whole: FloatArray, classes: int, height: int
) -> bool:
    """Whether raw maps decode to the very boxes and scores that the network itself answers.

    Args:
        levels: see `decode.decode_levels`.
        whole: (4 + classes + extra, A), see `decode.decode_answer`.
        classes: how many classes the network knows.
        height: of the input in pixels.
    """
    if any(level.ndim != 4 for level in levels) or whole.ndim != 2:
        return False
    ours, theirs = decode_levels(levels, height, 0.0), decode_answer(whole, classes, 0.0)
    if ours.xyxy.shape != theirs.xyxy.shape:
        return False
    off_px = np.abs(ours.xyxy - theirs.xyxy).max(initial=0)
    off_score = np.abs(ours.score - theirs.score).max(initial=0)
    return bool(off_px <= MOST_OFF_PX and off_score <= MOST_OFF_SCORE)


def _run(model: Any, pixels: FloatArray) -> list[FloatArray]:  # noqa: ANN401 - an openvino.Model
    settings = {"INFERENCE_PRECISION_HINT": "f32"}
    answer = openvino_core().compile_model(model, "CPU", settings)(pixels)
    return [np.array(answer[index]) for index in range(len(answer))]


def _find_ends(model: Any, branch: str) -> tuple[str, ...]:  # noqa: ANN401
    """Of each level, the operation that hands on what the last layer of a branch computes."""
    layer = re.compile(rf"(.*\.(?:one2one_)?{branch}\.(\d+)\.2)/")
    found: dict[int, str] = {}
    for item in model.get_ordered_ops():
        match = layer.match(item.get_friendly_name())
        if match and _is_read_outside(item, match[1]):
            found[int(match[2])] = item.get_friendly_name()
    return _sorted_by_level(found)


def _is_read_outside(item: Any, scope: str) -> bool:  # noqa: ANN401 - an operation
    readers = [
        reader.get_node().get_friendly_name()
        for port in item.outputs()
        for reader in port.get_target_inputs()
    ]
    return any(not name.startswith(f"{scope}/") for name in readers)


def _find_inputs(model: Any) -> tuple[str, ...]:  # noqa: ANN401
    """Of each level, the operation whose map the first layer of the box branch reads."""
    layer = re.compile(rf".*\.(?:one2one_)?{BOXES}\.(\d+)\.0\.conv/")
    found: dict[int, str] = {}
    for item in model.get_ordered_ops():
        match = layer.match(item.get_friendly_name())
        if match and item.get_type_name() == "Convolution" and not item.input_value(0).get_index():
            found[int(match[1])] = item.input_value(0).get_node().get_friendly_name()
    return _sorted_by_level(found)


def _sorted_by_level(found: dict[int, str]) -> tuple[str, ...]:
    whole = sorted(found) == list(range(len(found)))
    return tuple(found[level] for level in sorted(found)) if whole else ()
