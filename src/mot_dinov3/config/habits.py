"""What users of other trackers write, and what says the same here: data alone, in one place.

A flag of ours in a hint is proven by a test. `commands/habits.py` reads `FLAGS`, `SENTENCES` and
`WORDS`; the tables of names stand beside the names that they lead to.
"""

from __future__ import annotations

from collections.abc import Mapping

FLAGS: Mapping[str, str] = {
    **dict.fromkeys(
        ("video", "video-path", "input", "input-path", "path", "file", "url", "src", "webcam",
         "camera", "cam", "i", "rtsp", "videos"),
        "--source",
    ),
    **dict.fromkeys(
        ("weights", "yolo-model", "yolo-weights", "detector", "detection-model", "m",
         "model-path", "det-model"),
        "--det",
    ),
    **dict.fromkeys(("img", "img-size", "imgsize", "image-size", "size"), "--imgsz"),
    **dict.fromkeys(
        ("conf-thres", "conf-thresh", "conf-threshold", "confidence", "confidence-threshold",
         "score-thr", "score-threshold", "track-thresh", "track-high-thresh", "det-thresh",
         "min-confidence", "min-conf"),
        "--conf",
    ),
    **dict.fromkeys(("track-low-thresh", "low-thresh"), "--low-conf"),
    **dict.fromkeys(("tracking-method", "tracker-type", "tracker-config", "track"), "--tracker"),
    **dict.fromkeys(("iou-threshold", "asso-thresh", "min-iou"), "--match-iou"),
    **dict.fromkeys(("n-init", "minimum-consecutive-frames"), "--min-hits"),
    **dict.fromkeys(("class", "cls", "class-ids", "filter-classes"), "--classes"),
    **dict.fromkeys(("cmc-method", "gmc-method", "gmc", "camera-motion"), "--cmc"),
    **dict.fromkeys(("view-img", "view", "display", "imshow", "show-vid"), "--show"),
    **dict.fromkeys(("nosave", "no-save"), "--no-video"),
    **dict.fromkeys(("save-crop", "save-id-crops"), "--save-crops"),
    **dict.fromkeys(("save-json", "jsonl", "json"), "--save-jsonl"),
    **dict.fromkeys(("save-mots", "save-result", "save-results", "save-mot-txt"), "--save-mot"),
    **dict.fromkeys(("csv", "save-csv-file"), "--save-csv"),
    **dict.fromkeys(("coco", "save-coco-json", "coco-json"), "--save-coco"),
    **dict.fromkeys(("cvat", "save-cvat-xml", "cvat-xml"), "--save-cvat"),
    **dict.fromkeys(("stats", "save-stats", "summary-json"), "--stats-json"),
    **dict.fromkeys(("events", "event-log"), "--save-events"),
    **dict.fromkeys(("line-width", "thickness"), "--line-thickness"),
    **dict.fromkeys(("stride", "frame-stride", "skip-frames"), "--vid-stride"),
    **dict.fromkeys(("fp16",), "--half"),
    **dict.fromkeys(("o", "out", "output-path", "output-file", "save-path"), "--output"),
    **dict.fromkeys(("embedding-model", "reid-weights"), "--embed-model"),
    **dict.fromkeys(("limit", "num-frames", "n-frames", "max-frame"), "--max-frames"),
}  # fmt: skip
"""A flag elsewhere, without its dashes -> the flag that takes the same value here."""

SETTINGS: Mapping[str, str] = {"model": "--det"}
"""A setting such as `model=a.pt` elsewhere -> its flag, where a flag here has the same name."""

_PLACE = "The video goes to one file: --output DIR/NAME.mp4; so do the others, such as --save-mot."
_FRAMES = "It is a time here, in seconds: --max-lost SECONDS (30 frames at 30 FPS are 1)."
_EXPORT = (
    "A re-identification model runs from an ONNX file: --embedder onnx --embed-model osnet.onnx."
)
SENTENCES: Mapping[str, str] = {
    **dict.fromkeys(("project", "name", "exist-ok", "save-dir", "output-dir", "outdir"), _PLACE),
    **dict.fromkeys(("track-buffer", "max-age", "lost-track-buffer", "max-time-lost"), _FRAMES),
    **dict.fromkeys(("reid-model", "reid", "with-reid", "re-id", "reid-path"), _EXPORT),
    **dict.fromkeys(
        ("gpu", "cuda", "gpus", "gpu-id", "use-gpu"),
        "Models run on the fastest device that works; --device cuda:0 names one.",
    ),
    **dict.fromkeys(
        ("save", "save-vid", "save-video", "save-img", "save-frames"),
        "The video is written unless --no-video is given: --output FILE chooses where. "
        "Other outputs have flags such as --save-mot FILE.",
    ),
    **dict.fromkeys(
        (
            "no-labels",
            "hide-labels",
            "hide-conf",
            "show-labels",
            "show-conf",
            "show-scores",
            "show-boxes",
        ),
        "Labels say what --labels NAMES names: id,class,score, or none.",
    ),
    **dict.fromkeys(
        ("show-trajectories", "show-trails", "trail", "trace", "traces", "tail"),
        "The way of a track is drawn by --trails SECONDS.",
    ),
    **dict.fromkeys(
        ("heatmap", "heat-map", "save-heatmap"),
        "A map of where objects were is in the report: --report FILE.html.",
    ),
    **dict.fromkeys(
        ("count", "counting", "region", "regions", "roi", "count-line", "polygon"),
        "Tracks are counted by --line NAME=x1,y1,x2,y2 and --zone NAME=x1,y1,....",
    ),
    **dict.fromkeys(
        ("save-txt", "save-conf", "save-labels"),
        "Tracks with their scores are written by --save-mot FILE (MOTChallenge text), "
        "--save-csv FILE or --save-jsonl FILE.",
    ),
    **dict.fromkeys(
        ("iou", "iou-thres", "nms", "nms-iou", "agnostic-nms", "max-det"),
        "The detector removes overlapping boxes by itself; the overlap of a detection and a "
        "track is --match-iou SHARE.",
    ),
    **dict.fromkeys(
        ("match-thresh", "match-threshold", "matching-threshold"),
        "It is a least overlap here, not a greatest cost: --match-iou SHARE (1 minus the cost).",
    ),
    **dict.fromkeys(
        ("max-cosine-distance", "appearance-thresh", "max-dist", "max-cos-dist"),
        "It is a least similarity here: --reid-similarity COSINE (1 minus the distance).",
    ),
    "new-track-thresh": "It is a part of --conf here: --birth-share SHARE.",
    "proximity-thresh": "Pairs need an overlap of --match-iou SHARE; lost tracks return by "
    "--reid-similarity COSINE.",
    "frame-rate": "The frame rate is the source's own; --fps FPS changes that of the video.",
    "persist": "Tracks go on from frame to frame without a flag.",
    "stream": "Frames are tracked as they come, without a flag.",
    "batch": "Several videos at a time: --workers COUNT.",
    "batch-size": "Several videos at a time: --workers COUNT.",
    "per-class": "A track keeps its class; --classes NAMES chooses which are tracked.",
    "ablation": "Compare settings with the commands cache and replay.",
    "benchmark": "Score tracks with the command eval.",
}
"""A flag elsewhere, without its dashes -> a sentence that says how the same is done here."""

WORDS: Mapping[str, str] = {
    **dict.fromkeys(("yolo", "boxmot", "detect", "predict", "segment", "pose", "run", "start"), ""),
    **dict.fromkeys(("help", "h", "?"), "--help"),
    "version": "--version",
    **dict.fromkeys(("val", "evaluate", "score", "metrics"), "eval"),
    **dict.fromkeys(("settings", "config", "cfg"), "--print-config"),
    **dict.fromkeys(("check", "checks", "info", "env"), "doctor"),
    **dict.fromkeys(("benchmark", "profile"), "bench"),
    **dict.fromkeys(("generate", "record"), "cache"),
}
"""A first word elsewhere -> the words that do the same here; none for the main job."""

SEVERAL: Mapping[str, str] = {
    "--classes": "Separate the names or numbers by commas: --classes {commas}",
    "--imgsz": "Give the longer side alone: --imgsz {longest}",
    "--device": "A run uses one device: --device {first}",
}
"""A flag of one value -> what to do where several were given."""

TRACKERS: Mapping[str, str] = {
    "botsort": "BoT-SORT is ByteTrack with camera motion and appearance: --tracker bytetrack "
    "--cmc flow --appearance-weight 0.5.",
    "deepsort": "StrongSORT is its successor: --tracker strongsort.",
    "sort": "OC-SORT is its successor: --tracker ocsort.",
    "hybridsort": "Its cues of height and confidence are in the default settings "
    "(--height-power, --score-fusion): leave --tracker out.",
    "boosttrack": "The nearest settings are the default ones: leave --tracker out.",
    "cbiou": "Its larger boxes are in the default settings (--box-growth): leave --tracker out.",
    "smiletrack": "The nearest is StrongSORT: --tracker strongsort.",
    "imprassoc": "The nearest is StrongSORT: --tracker strongsort.",
    "ucmctrack": "The nearest is OC-SORT with camera motion: --tracker ocsort --cmc flow.",
    "norfair": "Boxes alone are tracked by --tracker ocsort --embedder none.",
    "centroid": "Boxes alone are tracked by --tracker ocsort --embedder none.",
    "none": "The program's own settings are the default: leave --tracker out.",
    "bytetrackyaml": "Name the settings alone: --tracker bytetrack. What the file changes is "
    "a flag each, such as --max-lost SECONDS for track_buffer.",
}
"""A tracker elsewhere, in plain letters -> the settings that come nearest."""

EMBEDDERS: Mapping[str, str] = {
    "osnet": _EXPORT,
    "lmbn": _EXPORT,
    "mlfn": _EXPORT,
    "hacnn": _EXPORT,
    "mobilenet": _EXPORT,
    "clipmarket": _EXPORT,
    "clipvehicle": _EXPORT,
    "clipreid": _EXPORT,
    "fastreid": _EXPORT,
    "transreid": _EXPORT,
    "reid": _EXPORT,
    "resnet50": "The size is the model's: --embedder resnet --embed-model microsoft/resnet-50.",
    "dinov2": "The version is the model's: --embedder dino --embed-model facebook/dinov2-base.",
    "dinov3": "It is the default: --embedder dino; --embed-model NAME chooses its size.",
    "vit": "Vision transformers run by --embedder dino --embed-model NAME.",
    "siglip": "Vision models run by --embedder dino --embed-model NAME.",
    "openclip": "CLIP models of transformers run by --embedder clip --embed-model NAME.",
    "demo": "It is a model of the kind dino: --embed-model demo.",
    "motion": "Boxes alone are tracked by --embedder none.",
    "off": "Boxes alone are tracked by --embedder none.",
    "false": "Boxes alone are tracked by --embedder none.",
}
"""A re-identification model elsewhere, in plain letters -> how it runs here."""

MODEL_FILES: Mapping[str, str] = {
    **dict.fromkeys((".pt", ".pth", ".t7", ".tar", ".ckpt"), _EXPORT),
    ".onnx": "An ONNX file runs by --embedder onnx.",
    **dict.fromkeys((".xml", ".bin"), "An OpenVINO model runs by --embedder openvino."),
}
"""Suffix of a file that `--embed-model` names for a model of a directory -> how it runs here."""
