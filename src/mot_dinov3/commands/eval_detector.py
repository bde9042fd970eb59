"""`python cli.py eval detector`: how well a detector finds the objects of labelled pictures."""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

from mot_dinov3.commands.flags import add_model_flags
from mot_dinov3.commands.parsing import CommandParser
from mot_dinov3.config.tracking.inputs import AUTO, BACKENDS, DetectorConfig
from mot_dinov3.errors import EXIT_OK, InputError, UsageError
from mot_dinov3.wording import counted

if TYPE_CHECKING:
    from mot_dinov3.data.detection.base import DetectionSet
    from mot_dinov3.evaluation.class_map import ClassMap
    from mot_dinov3.evaluation.detection import DetectionFigures, DetectionScores, ScoredPicture
    from mot_dinov3.perception.detectors.base import Detector

CONF = 0.001
"""Precision is measured down to boxes of hardly any confidence, as recall needs them."""
TITLES = {
    "mean_ap": "mAP",
    "ap50": "AP50",
    "ap75": "AP75",
    "ap_small": "small",
    "ap_medium": "medium",
    "ap_large": "large",
    "ar1": "AR 1",
    "ar10": "AR 10",
    "ar300": "AR 300",
}
TRAINED = "detr"
"""The detector that reads the folder of a training run, where there is one."""
WIDTH = 8


@dataclass(frozen=True, slots=True)
class Looked:
    """What a detector found in a data set.

    Attributes:
        pictures: those that could be read, with what was found.
        unreadable: how many could not.
        ms_per_picture: mean time of a detection without reading the picture.
    """

    pictures: list[ScoredPicture]
    unreadable: int
    ms_per_picture: float


def add_flags(parser: CommandParser) -> None:
    """Add the flags: the detector, the pictures, and what is written."""
    add = parser.add_argument
    add(
        "--ckpt",
        "--det",
        dest="det",
        required=True,
        metavar="NAME|FILE|DIR",
        help="detector as --det names it: yolov8n.pt, a file, hf:MODEL; or the folder of a model",
    )
    add(
        "--data",
        type=Path,
        required=True,
        metavar="FILE",
        help="data.yaml as YOLO has it: names, train and val",
    )
    add("--split", default="val", metavar="NAME", help="train, val or test (default: val)")
    add("--per-class", action="store_true", help="a row for each class as well")
    add(
        "--imgsz",
        type=int,
        default=DetectorConfig().imgsz,
        metavar="PIXELS",
        help="longer side of the picture that the detector sees",
    )
    add(
        "--conf",
        type=float,
        metavar="SHARE",
        help=f"least confidence of a detection that counts; {CONF:g} where it is not given",
    )
    add(
        "--as-tracked",
        action="store_true",
        help="measure a YOLO with the boxes that tracking gets, one class each; else a box counts "
        "for each of its classes, as Ultralytics measures it",
    )
    add_model_flags(parser)
    add(
        "--backend",
        default=AUTO,
        choices=(AUTO, *BACKENDS),
        help="runtime of the detector; auto takes torch, as pictures of many sizes need no export",
    )
    add("--json", type=Path, metavar="FILE", help="also write the figures to FILE")
    add("--debug", action="store_true", help="show full tracebacks")


def run(args: argparse.Namespace) -> int:
    """Detect in every picture, compare, print the table."""
    from mot_dinov3.data.detection.yolo import open_detection_set
    from mot_dinov3.evaluation.class_map import map_classes
    from mot_dinov3.evaluation.detection import measure_detections, require_packages

    require_packages()
    if args.json:
        from mot_dinov3.io.write.paths import check_output

        check_output(args.json, args.data, no_clobber=False)
    data = open_detection_set(args.data, args.split)
    detector = load_detector(args)
    classes = map_classes(detector.names, data.names)
    looked = look_at_pictures(detector, data, classes)
    scores = measure_detections(looked.pictures)
    print(format_table(scores, data.names, per_class=args.per_class))
    print(format_notes(detector, data, classes, looked))
    if args.json:
        from mot_dinov3.io.write.atomic import write_text

        document = build_document(args, detector, data, looked) | list_figures(scores, data.names)
        write_text(args.json, json.dumps(document, indent=2, allow_nan=False))
    return EXIT_OK


def load_detector(args: argparse.Namespace) -> Detector:
    """The detector that is measured.

    Raises:
        UsageError: it repeats stored boxes, or needs the frames of a video.
        MotError: it cannot be loaded.
    """
    from mot_dinov3.config import DeviceConfig
    from mot_dinov3.perception.detectors.base import ClassScoring, is_of_one_clip
    from mot_dinov3.perception.detectors.factory import create_detector
    from mot_dinov3.runtime.device import choose_device

    conf = read_conf(args)
    config = DetectorConfig(name_detector(args.det), conf, conf, args.imgsz)
    backend = choose_backend_for(config.det) if args.backend == AUTO else args.backend
    settings = DeviceConfig(device=args.device, backend=backend, precision=args.precision)
    detector = create_detector(config, choose_device(args.device), settings)
    if is_of_one_clip(detector):
        raise UsageError(
            f"--det {args.det} belongs to one video, and cannot look at single pictures.",
            fix="Give a detector that has weights, such as yolov8n.pt or hf:MODEL.",
        )
    if not args.as_tracked and isinstance(detector, ClassScoring):
        detector.count_every_class()
    return detector


def read_conf(args: argparse.Namespace) -> float:
    """The least confidence that counts."""
    return CONF if args.conf is None else float(args.conf)


def name_detector(det: str) -> str:
    """What `--det` takes, also for the folder of a model of transformers or of a training run."""
    from mot_dinov3.io.checkpoint import BEST, CONFIG_FILE
    from mot_dinov3.perception.detectors.factory import ULTRALYTICS, split_det
    from mot_dinov3.runtime.documents import read_json

    folder = Path(det).expanduser()
    if split_det(det)[0] != ULTRALYTICS or not folder.is_dir():
        return det
    if (folder / BEST).is_dir():
        return f"{TRAINED}:{det}"
    try:
        kind = "hf" if "model_type" in read_json(folder / CONFIG_FILE) else TRAINED
    except (OSError, ValueError, TypeError):
        return det
    return f"{kind}:{det}"


def choose_backend_for(det: str) -> str:
    """Torch, but for exports, which run as they are."""
    from mot_dinov3.perception.detectors.loading import READY

    return AUTO if det.endswith(tuple(READY)) else "torch"


def look_at_pictures(detector: Detector, data: DetectionSet, classes: ClassMap) -> Looked:
    """Detect in every picture of a data set; shows how it goes on.

    Raises:
        InputError: no picture can be read.
        ModelError, DeviceError: the detector fails.
    """
    from mot_dinov3.commands.progress import PictureBar
    from mot_dinov3.evaluation.detection import ScoredPicture
    from mot_dinov3.io.read.images import read_image
    from mot_dinov3.values import Frame

    out: list[ScoredPicture] = []
    spent_s = 0.0
    with PictureBar(len(data)) as bar:
        for example in data.examples:
            bar(1)
            image = read_image(example.picture)
            if image is None:
                continue
            frame = Frame(len(out), 0.0, image)
            started_s = perf_counter()
            found = detector.detect(frame)
            spent_s += perf_counter() - started_s
            xyxy = example.place_boxes(image.shape[1], image.shape[0])
            out.append(ScoredPicture(classes.translate(found), xyxy, example.class_id))
    if not out:
        raise InputError(
            f"None of the {counted(len(data), 'picture')} of the data set can be read.",
            fix="Check that they are whole and open in an image viewer.",
        )
    return Looked(out, len(data) - len(out), spent_s * 1000 / len(out))


def format_table(scores: DetectionScores, names: Mapping[int, str], *, per_class: bool) -> str:
    """The figures, a row for all classes together and one for each, aligned for people."""
    rows = {"all": scores.overall}
    if per_class:
        rows |= {names[number]: figures for number, figures in scores.by_class.items()}
    width = max(map(len, rows))
    lines = [" " * width + "".join(f"{title:>{WIDTH}}" for title in TITLES.values())]
    for name, figures in rows.items():
        cells = (format_cell(getattr(figures, column)) for column in TITLES)
        lines.append(f"{name:<{width}}" + "".join(cells))
    return "\n".join(lines)


def format_cell(value: float | None) -> str:
    """A figure, or a dash where no picture shows such an object."""
    return f"{'-' if value is None else format(value, '.3f'):>{WIDTH}}"


def format_notes(detector: Detector, data: DetectionSet, classes: ClassMap, looked: Looked) -> str:
    """What was compared with what, and what was left out."""
    from mot_dinov3.evaluation.detection import MOST_BOXES

    boxes = sum(len(one.class_id) for one in looked.pictures)
    empty = sum(not len(one.class_id) for one in looked.pictures)
    crowded = sum(len(one.class_id) > MOST_BOXES[-1] for one in looked.pictures)
    lines = [
        f"{counted(len(looked.pictures), 'picture')}, {empty} of them empty, "
        f"{counted(boxes, 'object')}",
        f"{detector.title}: {looked.ms_per_picture:.1f} ms a picture",
    ]
    if looked.unreadable:
        lines.append(f"{counted(looked.unreadable, 'picture')} cannot be read.")
    if data.left_out.sentence:
        lines.append(data.left_out.sentence)
    if classes.missing:
        lines.append(f"The detector does not know {', '.join(classes.missing)}.")
    if not classes.by_name:
        lines.append("No name of a class is the same: the numbers of classes decided.")
    if crowded:
        lines.append(
            f"{counted(crowded, 'picture shows', 'pictures show')} more than {MOST_BOXES[-1]} "
            "objects, so that not all can be found."
        )
    return "\n".join(lines)


def build_document(
    args: argparse.Namespace, detector: Detector, data: DetectionSet, looked: Looked
) -> dict[str, Any]:
    """What `--json` says of the run."""
    return {
        "det": args.det,
        "title": detector.title,
        "fingerprint": detector.fingerprint,
        "data": str(args.data),
        "split": args.split,
        "imgsz": args.imgsz,
        "conf": read_conf(args),
        "pictures": len(looked.pictures),
        "objects": sum(len(one.class_id) for one in looked.pictures),
        "unreadable": looked.unreadable,
        "left_out": dict(data.left_out.counts),
        "ms_per_picture": round(looked.ms_per_picture, 3),
    }


def list_figures(scores: DetectionScores, names: Mapping[int, str]) -> dict[str, Any]:
    """The figures as `--json` has them; null where nothing of that size is shown."""
    by_name = {names[number]: figures for number, figures in scores.by_class.items()}
    rounded = {name: _round_figures(figures) for name, figures in by_name.items()}
    return {"all": _round_figures(scores.overall), "classes": rounded}


def _round_figures(figures: DetectionFigures) -> dict[str, float | None]:
    known = asdict(figures).items()
    return {name: None if value is None else round(value, 5) for name, value in known}
