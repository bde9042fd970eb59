from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from helpers.places import SOURCE
from mot_dinov3.errors import EXIT_MODEL, ModelError
from mot_dinov3.lab.selftest import fake_hub
from mot_dinov3.perception.hub.files import (
    cached_directory,
    check_directory,
    looks_like_path,
    model_directory,
)
from mot_dinov3.perception.hub.problems import GatedModelError, OfflineModelError

OPEN = "--fallback-open, or --dinov3 facebook/dinov2-base"


def test_the_first_load_downloads_and_the_second_needs_no_hub(hub, repo):
    hub.serve("acme/vit", repo)
    assert cached_directory("acme/vit") is None
    first = model_directory("acme/vit", OPEN)
    assert (first / "model.safetensors").read_bytes() == (repo / "model.safetensors").read_bytes()
    hub.stop()
    assert model_directory("acme/vit", OPEN) == first


def test_a_cached_model_is_found_without_asking_the_hub(hub, repo):
    hub.serve("acme/vit", repo)
    model_directory("acme/vit", OPEN)
    hub.asked.clear()
    model_directory("acme/vit", OPEN)
    assert hub.asked == []


def test_a_model_without_processor_file_is_complete_in_the_cache(hub, repo):
    (repo / "preprocessor_config.json").unlink()
    hub.serve("acme/vit", repo)
    first = model_directory("acme/vit", OPEN)
    hub.asked.clear()
    assert model_directory("acme/vit", OPEN) == first
    assert hub.asked == []


def fetched_without_processor(hub, repo):
    """The cache after `hf download` of a few named files."""
    from huggingface_hub import hf_hub_download

    hub.serve("acme/vit", repo)
    for name in ("config.json", "model.safetensors"):
        hf_hub_download("acme/vit", name)


def test_a_processor_file_that_was_never_asked_for_is_fetched(hub, repo):
    fetched_without_processor(hub, repo)
    assert (model_directory("acme/vit", OPEN) / "preprocessor_config.json").is_file()


def test_offline_a_missing_processor_file_is_only_a_warning(hub, repo, caplog):
    fetched_without_processor(hub, repo)
    hub.stop()
    assert (model_directory("acme/vit", OPEN) / "model.safetensors").is_file()
    assert "No preprocessor_config.json of acme/vit in the cache" in caplog.text


def test_an_interrupted_download_is_finished_later(hub, repo):
    (repo / "model.safetensors").rename(repo / "later")
    hub.serve("acme/vit", repo)
    with pytest.raises(ModelError):
        model_directory("acme/vit", OPEN)
    (repo / "later").rename(repo / "model.safetensors")
    assert cached_directory("acme/vit") is None
    assert (model_directory("acme/vit", OPEN) / "model.safetensors").is_file()


def test_all_shards_are_fetched_and_needed(hub, repo):
    (repo / "model.safetensors").unlink()
    names = ["model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"]
    index = {"weight_map": {"a": names[0], "b": names[1], "c": names[0]}}
    (repo / "model.safetensors.index.json").write_text(json.dumps(index))
    for name in names:
        (repo / name).write_bytes(name.encode())
    hub.serve("acme/vit", repo)
    directory = model_directory("acme/vit", OPEN)
    assert all((directory / name).is_file() for name in names)
    assert cached_directory("acme/vit") == directory
    (directory / names[1]).unlink()
    assert cached_directory("acme/vit") is None


def test_only_the_converters_pull_request_may_replace_pickles(hub, repo, tmp_path):
    old = tmp_path / "old"
    old.mkdir()
    (old / "config.json").write_text("{}")
    (old / "pytorch_model.bin").write_bytes(b"pickle")
    hub.serve("acme/old", old)
    with pytest.raises(ModelError, match="no safetensors weights"):
        model_directory("acme/old", OPEN)
    assert not any("pytorch_model.bin" in request for request in hub.asked)
    hub.pull_requests["acme/old"] = repo
    directory = model_directory("acme/old", OPEN)
    assert directory.name == fake_hub.PR_COMMIT
    hub.stop()
    assert model_directory("acme/old", OPEN) == directory


def test_a_repository_that_is_no_model_is_refused(hub, tmp_path):
    hub.serve("acme/data", tmp_path)
    with pytest.raises(ModelError, match=r"no config\.json"):
        model_directory("acme/data", OPEN)


GATES = [
    pytest.param(fake_hub.NOT_LISTED, "no access to it yet", id="not asked"),
    pytest.param(fake_hub.PENDING, "request for access is pending", id="pending"),
    pytest.param(fake_hub.REFUSED, "refused your request", id="refused"),
    pytest.param(fake_hub.FINE_GRAINED, "may not read gated models", id="fine-grained token"),
]


@pytest.mark.parametrize(("message", "why"), GATES)
def test_a_gate_says_why_and_what_to_do(hub, token, message, why):
    hub.gate("acme/gated", message)
    with pytest.raises(GatedModelError) as caught:
        model_directory("acme/gated", OPEN)
    assert "'acme/gated' is gated on Hugging Face" in caught.value.what
    assert why in caught.value.what
    assert "--fallback-open, or --dinov3 facebook/dinov2-base" in caught.value.fix
    assert caught.value.exit_code == EXIT_MODEL
    assert token not in str(caught.value)


def test_a_gate_without_a_token_has_three_steps(hub):
    hub.gate("acme/gated", fake_hub.NOT_LISTED)
    with pytest.raises(GatedModelError) as caught:
        model_directory("acme/gated", OPEN)
    assert "no access token" in caught.value.what
    steps = caught.value.fix.splitlines()[1:]
    assert [step.split(")")[0].strip() for step in steps] == ["1", "2", "3"]
    assert "https://huggingface.co/acme/gated" in steps[0]
    assert ".env" in steps[1]
    assert "hf auth login" in steps[1]


def test_a_gate_asks_for_consent_only_where_it_helps(hub, token):
    hub.gate("acme/gated", fake_hub.PENDING)
    with pytest.raises(GatedModelError) as caught:
        model_directory("acme/gated", OPEN)
    assert "Request access" not in caught.value.fix


@pytest.mark.parametrize("status", [401, 404])
def test_an_unknown_model_is_named(hub, status):
    hub.answer("acme/typo", status, "RepoNotFound", "Repository not found")
    with pytest.raises(ModelError, match="There is no model 'acme/typo'") as caught:
        model_directory("acme/typo", OPEN)
    assert type(caught.value) is ModelError
    assert "spelling" in caught.value.fix


@pytest.mark.parametrize("name", ["what is this", "acme/", "a--b/c", "tokens!"])
def test_a_name_that_cannot_be_a_model_is_unknown(hub, name):
    with pytest.raises(ModelError, match="There is no model"):
        model_directory(name, OPEN)
    assert hub.asked == []


def test_a_token_that_is_not_accepted_is_never_shown(hub, token):
    said = f"Invalid credentials in Authorization header {token}"
    hub.answer("acme/vit", 401, "", said)
    with pytest.raises(ModelError, match="access token") as caught:
        model_directory("acme/vit", OPEN)
    assert token not in str(caught.value)


@pytest.mark.parametrize("status", [403, 429, 500])
def test_other_answers_keep_their_number(hub, status):
    hub.answer("acme/vit", status, "", "busy")
    with pytest.raises(ModelError, match=f"HTTP {status}"):
        model_directory("acme/vit", OPEN)


def test_an_unreachable_hub_is_offline_and_said_so_at_once(hub, monkeypatch):
    monkeypatch.setattr("time.sleep", lambda _: pytest.fail("retried"))
    hub.stop()
    with pytest.raises(OfflineModelError, match="cannot be reached") as caught:
        model_directory("acme/vit", OPEN)
    assert hub.url in caught.value.what
    assert "hf download acme/vit" in caught.value.fix
    assert "--embed-model demo" in caught.value.fix
    assert "--det motion" in caught.value.fix


def test_a_login_page_is_not_taken_for_the_hub(hub, repo):
    hub.serve("acme/vit", repo)
    hub.portal = True
    with pytest.raises(OfflineModelError, match="not an answer of Hugging Face") as caught:
        model_directory("acme/vit", OPEN)
    assert hub.url in caught.value.what
    assert "Log in to the network with a browser" in caught.value.fix


def test_the_offline_variable_is_named(hub, repo, offline):
    hub.serve("acme/vit", repo)
    offline()
    with pytest.raises(OfflineModelError, match="HF_HUB_OFFLINE") as caught:
        model_directory("acme/vit", OPEN)
    assert "Unset HF_HUB_OFFLINE" in caught.value.fix
    assert hub.asked == []


def test_the_offline_variable_leaves_the_cache_usable(hub, repo, offline):
    hub.serve("acme/vit", repo)
    first = model_directory("acme/vit", OPEN)
    offline()
    assert model_directory("acme/vit", OPEN) == first


def test_a_full_cache_is_not_called_offline(hub, repo, tmp_path, monkeypatch):
    from huggingface_hub import constants

    (tmp_path / "file").write_text("not a directory")
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "file" / "cache"))
    hub.serve("acme/vit", repo)
    with pytest.raises(ModelError, match="cannot be stored in the cache") as caught:
        model_directory("acme/vit", OPEN)
    assert "HF_HOME" in caught.value.fix


def test_a_local_directory_is_used_as_it_is(repo):
    assert model_directory(str(repo), OPEN) == repo


@pytest.mark.parametrize(
    ("take", "put", "words"),
    [
        pytest.param("config.json", "", r"no config\.json", id="no config"),
        pytest.param("model.safetensors", "", "there is none", id="no weights"),
        pytest.param("model.safetensors", "pytorch_model.bin", "a pickle", id="only a pickle"),
    ],
)
def test_an_incomplete_directory_is_refused(repo, take, put, words):
    (repo / take).unlink()
    if put:
        (repo / put).write_bytes(b"")
    with pytest.raises(ModelError, match=words):
        model_directory(str(repo), OPEN)


@pytest.mark.parametrize("name", ["./nowhere", "/nowhere/at/all", "~/nowhere", "a/b/c", "", "x.pt"])
def test_a_missing_directory_is_not_looked_up_on_the_hub(hub, name):
    assert looks_like_path(name)
    with pytest.raises(ModelError, match="does not exist"):
        model_directory(name, OPEN)
    assert hub.asked == []


def test_a_file_is_not_a_directory(repo):
    with pytest.raises(ModelError, match="is a file"):
        model_directory(str(repo / "model.safetensors"), OPEN)


def test_the_real_variables_lead_to_the_same_messages(hub, repo, tmp_path):
    hub.serve("acme/vit", repo)
    hub.gate("acme/gated", fake_hub.REFUSED)
    code = """
import sys
from mot_dinov3.errors import MotError
from mot_dinov3.perception.hub.files import model_directory
for name in sys.argv[1:]:
    try:
        print(model_directory(name, "--fallback-open").name)
    except MotError as error:
        print(error.what)
"""
    inherited = {k: v for k, v in os.environ.items() if not k.startswith("HF_")}
    ours = {"HF_ENDPOINT": hub.url, "HF_HOME": str(tmp_path / "home"), "HF_TOKEN": "hf_abcdefgh"}
    source = {"PYTHONPATH": str(SOURCE)}
    command = [sys.executable, "-c", code, "acme/vit", "acme/gated", "acme/typo"]
    done = subprocess.run(
        command, env=inherited | ours | source, capture_output=True, text=True, check=True
    )
    cached, gated, unknown = done.stdout.splitlines()
    assert cached == fake_hub.COMMIT
    assert "refused your request" in gated
    assert "There is no model 'acme/typo'" in unknown
    assert done.stderr == ""


@pytest.mark.parametrize("shard", ["../weights.safetensors", "/dev/zero", "pipe.safetensors", ""])
def test_shards_are_files_of_the_directory(tmp_path, shard):
    place = tmp_path / "model"
    place.mkdir()
    (tmp_path / "weights.safetensors").write_bytes(b"x")
    os.mkfifo(place / "pipe.safetensors")
    (place / "config.json").write_text("{}")
    index = {"weight_map": {"a": shard}}
    (place / "model.safetensors.index.json").write_text(json.dumps(index))
    with pytest.raises(ModelError, match="lacks the file"):
        check_directory(place, "it")


@pytest.mark.parametrize("text", ["[]", "{", '{"weight_map": 3}', "[" * 100_000])
def test_an_index_that_says_nothing_is_a_sentence(tmp_path, text):
    (tmp_path / "config.json").write_text("{}")
    (tmp_path / "model.safetensors.index.json").write_text(text)
    with pytest.raises(ModelError, match="which files hold the weights"):
        check_directory(tmp_path, "it")
