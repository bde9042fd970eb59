"""Where secrets are planted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from mot_dinov3.errors import EXIT_INPUT, EXIT_MODEL, EXIT_OK, EXIT_PARTIAL, EXIT_USAGE

LOUD = "--verbose --debug"
ALL = (
    "--output o.mp4 --save-mot o.txt --save-jsonl o.jsonl --save-csv o.csv --stats-json s.json "
    "--report r.html"
)
MOTION = "--det motion --embedder none --device cpu"
TRACKED = f"{MOTION} {LOUD} --no-drop --max-frames 30"
WATCHED = "--read-timeout 4 --max-frames 41 --no-video --stats-json s.json --serve 127.0.0.1:0"
"""One frame more than there is: the run waits for it while its page is read."""
NOWHERE = "rtsp://admin:{secret}@127.0.0.1:1/live"
LIVE = "http://admin:{secret}@{live}"
ASKED = "http://{live}?user=me&token={secret}"
BOTH = "http://admin:{secret}@{live}?token={secret}"
REFUSED = "'http://127.0.0.1:1/x?token={secret}'"


@dataclass(frozen=True, slots=True)
class Plant:
    """A secret in one place.

    Attributes:
        name: of the case.
        words: the command line; `{secret}`, `{live}` (a stream's address without its scheme),
            `{hub}` (an address), `{track}`, `{clip}` and `{boxes}` are filled in.
        code: how the run ends, so that it got as far as it was meant to.
        files: planted files, which may hold the secret afterwards.
        variables: of the program.
        token: whether it looks like one of the hub's tokens, else like a password.
        said: what the hub's error message says, with `{secret}` in it.
    """

    name: str
    words: str
    code: int
    files: Mapping[str, str] = field(default_factory=dict)
    variables: Mapping[str, str] = field(default_factory=dict)
    token: bool = False
    said: str = ""


def plant_token(name: str, words: str, code: int, **more: Mapping[str, str] | str) -> Plant:
    """Plant a token of the hub."""
    return Plant(name, words, code, token=True, **more)  # type: ignore[arg-type]


EMBED = "--source {clip} --det {boxes} --device cpu --no-video --embed-model acme/vit"
HUB = {"HF_ENDPOINT": "{hub}", "HF_HUB_OFFLINE": "0"}

PLANTS = (
    plant_token(
        "token-variable", f"{{track}} {LOUD} {ALL}", EXIT_OK, variables={"HF_TOKEN": "{secret}"}
    ),
    plant_token(
        "token-old-variable",
        f"{{track}} {LOUD} {ALL}",
        EXIT_OK,
        variables={"HUGGINGFACE_HUB_TOKEN": "{secret}"},
    ),
    plant_token(
        "token-oldest-variable",
        f"{{track}} {LOUD} {ALL}",
        EXIT_OK,
        variables={"HUGGING_FACE_HUB_TOKEN": "{secret}"},
    ),
    plant_token(
        "token-env-file", f"{{track}} {LOUD} {ALL}", EXIT_OK, files={".env": "HF_TOKEN={secret}\n"}
    ),
    Plant(
        "password-env-file",
        f"{{track}} {LOUD} {ALL}",
        EXIT_OK,
        files={".env": "CAMERA_PASSWORD={secret}\nDATABASE_URL=postgres://me:{secret}@db/x\n"},
    ),
    plant_token(
        "token-as-model",
        f"{{track}} {LOUD} {ALL}",
        EXIT_OK,
        variables={"MOT_EMBED_MODEL": "{secret}"},
    ),
    Plant(
        "password-as-model",
        f"{{track}} --dinov3 https://me:{{secret}}@host/m {LOUD} {ALL}",
        EXIT_OK,
    ),
    plant_token(
        "token-model-unknown", EMBED.replace("acme/vit", "{secret}") + f" {LOUD}", EXIT_MODEL
    ),
    plant_token(
        "token-hub-refuses",
        f"{EMBED} {LOUD}",
        EXIT_MODEL,
        variables={**HUB, "HF_TOKEN": "{secret}"},
        said="Invalid token {secret}",
    ),
    plant_token(
        "token-hub-gate",
        f"{EMBED} {LOUD}",
        EXIT_MODEL,
        variables={**HUB, "HF_TOKEN": "{secret}"},
        said="gate {secret} is not listed",
    ),
    Plant(
        "password-hub-address",
        f"{EMBED} {LOUD}",
        EXIT_MODEL,
        variables={"HF_ENDPOINT": "http://me:{secret}@127.0.0.1:1", "HF_HUB_OFFLINE": "0"},
    ),
    Plant(
        "password-proxy",
        f"{EMBED} {LOUD}",
        EXIT_MODEL,
        variables={
            "HF_ENDPOINT": "http://hub.invalid",
            "HF_HUB_OFFLINE": "0",
            "HTTP_PROXY": "http://me:{secret}@127.0.0.1:1",
            "http_proxy": "http://me:{secret}@127.0.0.1:1",
        },
    ),
    Plant("stream-refused", f"--source {NOWHERE} {MOTION} {LOUD}", EXIT_INPUT),
    Plant(
        "stream-in-toml",
        "--config run.toml",
        EXIT_INPUT,
        files={
            "run.toml": f'source = "{NOWHERE}"\nverbose = true\ndebug = true\n'
            'det = "motion"\nembedder = "none"\n'
        },
    ),
    Plant("stream-in-variable", f"{MOTION} {LOUD}", EXIT_INPUT, variables={"MOT_SOURCE": NOWHERE}),
    Plant(
        "stream-kind-unknown", f"--source ftp://me:{{secret}}@host/x {MOTION} {LOUD}", EXIT_INPUT
    ),
    Plant("stream-tracked", f"--source {LIVE} {TRACKED} {ALL}", EXIT_OK),
    Plant("stream-token-tracked", f"--source '{ASKED}' {TRACKED} {ALL}", EXIT_OK),
    Plant("stream-token-refused", f"--source {REFUSED} {MOTION} {LOUD}", EXIT_INPUT),
    Plant("stream-lost", f"--source {LIVE} {MOTION} {LOUD} {ALL} --read-timeout 1", EXIT_PARTIAL),
    Plant("stream-served", f"--source '{BOTH}' {TRACKED} {WATCHED}", EXIT_PARTIAL),
    Plant("settings-printed", f"--source {NOWHERE} --print-config", EXIT_OK),
    Plant("settings-token-printed", f"--source '{ASKED}' --print-config", EXIT_OK),
    plant_token(
        "settings-value", "--config run.toml", EXIT_USAGE, files={"run.toml": 'conf = "{secret}"'}
    ),
    Plant(
        "settings-key",
        "--config run.toml",
        EXIT_USAGE,
        files={"run.toml": 'sorce = "rtsp://me:{secret}@host"'},
    ),
    Plant(
        "settings-broken",
        f"--config run.toml {LOUD}",
        EXIT_USAGE,
        files={"run.toml": 'source = "rtsp://me:{secret}@host'},
    ),
    Plant(
        "variable-value", "{track}", EXIT_USAGE, variables={"MOT_CONF": "rtsp://me:{secret}@host"}
    ),
    Plant("flag-value", "{track} --conf rtsp://me:{secret}@host", EXIT_USAGE),
    Plant("word-unknown", "rtsp://me:{secret}@host", EXIT_USAGE),
    plant_token("word-too-many", "{track} --hf-token {secret}", EXIT_USAGE),
    Plant(
        "weights-address",
        f"--source {{clip}} --det https://me:{{secret}}@host/y.pt {LOUD}",
        EXIT_MODEL,
    ),
    Plant("cache-source", f"cache {NOWHERE} --det motion --embed-model demo {LOUD}", EXIT_INPUT),
    Plant(
        "batch-list",
        f"--source l.txt --each {MOTION} {LOUD} --batch-json b.json",
        EXIT_INPUT,
        files={"l.txt": f"{NOWHERE}\nrtsp://me:{{secret}}@127.0.0.1:2/x?token={{secret}}\n"},
    ),
)
