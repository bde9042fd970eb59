from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys

import pytest

from helpers.places import ROOT

SCRIPTS = ("setup.sh", "clean.sh", ".ci/run")
MADE = (
    ".venv/bin/python",
    ".mypy_cache/x",
    ".ruff_cache/x",
    ".pytest_cache/x",
    ".hypothesis/x",
    ".coverage",
    "build/x",
    "dist/x",
    "src/mot_dinov3.egg-info/PKG-INFO",
    "src/mot_dinov3/__pycache__/a.pyc",
    "tests/io/__pycache__/a.pyc",
    "outputs/tracked.partial.mp4",
    "outputs/sub/crops.partial/7/frame_000012.jpg",
    "outputs/crops.partial-2/7/frame_000012.jpg",
)
RESULTS = ("data/input.mp4", "data/__pycache__/mine", "outputs/tracked.mp4", "outputs/sub/x.txt",
           "outputs/my.partials/x.txt")  # fmt: skip
KEPT = ("src/mot_dinov3/a.py", "README.md", "data/.gitkeep", "outputs/.gitkeep", ".env")

pytestmark = pytest.mark.skipif(shutil.which("bash") is None, reason="needs bash")


def bash(*words, cwd=ROOT, **environment):
    return subprocess.run(
        ["bash", *map(str, words)],
        cwd=cwd,
        env={**os.environ, **environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.fixture
def tree(tmp_path):
    root = tmp_path / "a project"
    for name in (*MADE, *RESULTS, *KEPT):
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("x")
    shutil.copy(ROOT / "clean.sh", root)
    return root


def present(root, names):
    return [name for name in names if (root / name).exists()]


@pytest.mark.parametrize("script", SCRIPTS)
def test_scripts_parse(script):
    assert bash("-n", ROOT / script).returncode == 0


def test_the_check_script_can_be_executed():
    assert (ROOT / ".ci/run").stat().st_mode & stat.S_IXUSR


@pytest.mark.parametrize("script", ["setup.sh", "clean.sh"])
@pytest.mark.parametrize("word", ["gpu", "--cuda"])
def test_an_unknown_word_is_refused_in_one_sentence(script, word):
    done = bash(ROOT / script, word)
    assert done.returncode == 2
    assert f"'{word}'" in done.stderr
    assert done.stderr.count("\n") == 1
    assert not done.stdout


def test_an_unknown_torch_channel_is_refused():
    done = bash(ROOT / "setup.sh", "t4_gpu", TORCH_CHANNEL="12.4")
    assert done.returncode == 2
    assert "TORCH_CHANNEL='12.4'" in done.stderr


@pytest.mark.parametrize("script", ["setup.sh", "clean.sh"])
def test_help_names_every_word_that_the_script_takes(script):
    done = bash(ROOT / script, "--help")
    assert done.returncode == 0
    cases = [line.split(")")[0] for line in (ROOT / script).read_text().splitlines()
             if line.startswith(("      ", "    ")) and ") " in line and "=" in line]  # fmt: skip
    words = {word for case in cases for word in case.replace("|", " ").split() if word[:2] == "--"}
    assert words
    assert all(word in done.stdout for word in words)


@pytest.fixture
def fake_machine(tmp_path):
    """A directory of commands in which no Python is new enough, and a copy of the project."""
    tools = tmp_path / "bin"
    tools.mkdir()
    for name in ("bash", "dirname", "cat", "rm", "env", "grep"):
        (tools / name).symlink_to(shutil.which(name))
    say_old = "import sys; sys.version_info = 3, 10; exec(sys.argv[1])"
    old = f'exec "{sys.executable}" -c "{say_old}" "$2"'
    for name, does in (("python3", "exit 1"), ("python3.12", old), ("uname", "echo Linux")):
        (tools / name).write_text(f"#!/bin/sh\n{does}\n")
        (tools / name).chmod(0o755)
    root = tmp_path / "a project"
    root.mkdir()
    for name in ("setup.sh", "pyproject.toml"):
        shutil.copy(ROOT / name, root)
    return root, tools


def test_without_a_new_enough_python_it_says_so(fake_machine):
    root, tools = fake_machine
    done = bash(root / "setup.sh", "--yes", PATH=str(tools))
    assert done.returncode == 1
    assert done.stderr == (
        "setup: no Python 3.11 or newer was found; install one and run this again.\n"
    )


def test_a_broken_venv_is_not_replaced_without_asking(fake_machine):
    root, tools = fake_machine
    (root / ".venv").mkdir()
    (root / ".venv" / "mine").write_text("x")
    done = bash(root / "setup.sh", PATH=str(tools))
    assert done.returncode == 1
    assert "--yes" in done.stderr
    assert (root / ".venv" / "mine").exists()


def stand_in(root, answer, builds=(), torch="", uv_fails=()):
    """A `.venv` whose Python notes how it is called, and fails for `answer`.

    Args:
        root: of the project.
        answer: a word of the call that fails.
        builds: builds of torch that the index has; none is an index that can't be reached.
        torch: version that is found installed at the end.
        uv_fails: builds that cannot be installed although the index has them.
    """
    python = root / ".venv/bin/python"
    python.parent.mkdir(parents=True)
    python.write_text(
        f'#!/bin/sh\ncase "$*" in *sys.exit*) exit 0;; esac\necho "$*" >> "{root}/calls"\n'
        f'case "$*" in *torch.__version__*) echo "{torch}"; esac\n'
        f'case "$*" in *{answer}*) exit 3;; esac\n'
    )
    python.chmod(0o755)
    uv = root / ".venv/bin/uv"
    has = "".join(f"*backend={name}\\ *) exit 0;; " for name in builds)
    fails = "".join(f"*backend={name}\\ *) exit 1;; " for name in uv_fails)
    uv.write_text(
        '#!/bin/sh\ncase "$*" in *--help*) echo "--torch-backend cu126, cu130 cu128 cu126 cu124'
        ' cu121 cu118 cu117"; exit;;\n'
        f'*dry-run*) case "$*" in {has} *) exit 2;; esac;; esac\n'
        f'echo "uv $*" >> "{root}/calls"\ncase "$*" in {fails} *) exit 0;; esac\n'
    )
    uv.chmod(0o755)


def calls(root):
    lines = (root / "calls").read_text().splitlines()
    (root / "calls").unlink()
    lines = [line.replace(str(root), ".") for line in lines if "config get" not in line]
    return [line for line in lines if "torch.__version__" not in line]


def test_it_installs_once_and_proves_each_time(fake_machine):
    root, tools = fake_machine
    stand_in(root, "nothing-fails")
    first = bash(root / "setup.sh", "cpu", PATH=str(tools), cwd="/")
    assert first.returncode == 0, first.stderr
    assert "PyTorch index can't be reached" in first.stdout
    assert calls(root) == [
        "uv pip install --python ./.venv/bin/python -e .[onnx,eval,report,completion,openvino]",
        "cli.py doctor",
        "cli.py demo",
    ]
    again = bash(root / "setup.sh", "cpu", PATH=str(tools))
    assert "installed already" in again.stdout
    assert calls(root) == ["cli.py doctor", "cli.py demo"]
    assert bash(root / "setup.sh", "cpu", "--dev", PATH=str(tools)).returncode == 0
    assert calls(root)[0].endswith("-e .[onnx,eval,report,completion,openvino,dev]")


def test_a_build_that_exists_is_installed_and_not_talked_about(fake_machine):
    root, tools = fake_machine
    stand_in(root, "nothing-fails", ("cpu", "cu126"), torch="2.9.1+cu126")
    done = bash(root / "setup.sh", "t4_gpu", PATH=str(tools), TORCH_CHANNEL="cu126")
    assert done.returncode == 0, done.stderr
    assert "--torch-backend=cu126 -e" in calls(root)[0]
    assert done.stdout == "Ready. Next: source .venv/bin/activate && " + (
        "python cli.py --source video.mp4\n"
    )


@pytest.mark.parametrize(
    ("asked", "taken"), [("cu121", "cu124"), ("cu122", "cu124"), ("cu129", "cu128"),
                         ("cu115", "cu118"), ("cu131", "cu130"), ("auto", "cu124")]
)  # fmt: skip
def test_a_build_that_does_not_exist_gives_way_to_the_nearest_and_says_so(
    fake_machine, asked, taken
):
    root, tools = fake_machine
    builds = ("cpu", "cu130", "cu128", "cu126", "cu124", "cu118")
    stand_in(root, "nothing-fails", builds, torch=f"2.9.1+{taken}")
    done = bash(root / "setup.sh", "auto", PATH=str(tools), TORCH_CHANNEL=asked)
    assert done.returncode == 0, done.stderr
    assert f"has no torch>=2.6 for '{asked}'" in done.stdout
    assert "It has cu126 cu130 cu128 cu124 cu118. Taking " + taken in done.stdout
    assert f"--torch-backend={taken} -e" in calls(root)[0]
    said = f"Ready, with torch 2.9.1+{taken} in place of a {asked} build."
    assert (said in done.stdout) == (asked != "auto")
    again = bash(root / "setup.sh", "auto", PATH=str(tools), TORCH_CHANNEL=asked)
    assert (said in again.stdout) == (asked != "auto"), "a second run says it again"


def test_no_build_of_that_cuda_version_ends_the_setup_with_those_that_exist(fake_machine):
    root, tools = fake_machine
    stand_in(root, "nothing-fails", ("cpu", "cu128", "cu126"))
    done = bash(root / "setup.sh", "t4_gpu", PATH=str(tools), TORCH_CHANNEL="cu140")
    assert done.returncode == 2
    assert "no build for 'cu140'" in done.stderr
    assert "TORCH_CHANNEL: cu126 cu128." in done.stderr
    assert "Ready" not in done.stdout


def test_a_build_from_the_default_index_is_named_at_the_end(fake_machine):
    root, tools = fake_machine
    stand_in(root, "nothing-fails", torch="2.9.1+cu130")
    done = bash(root / "setup.sh", "t4_gpu", PATH=str(tools), TORCH_CHANNEL="cu121")
    assert "PyTorch index can't be reached" in done.stdout
    assert "Ready, with torch 2.9.1+cu130 in place of a cu121 build." in done.stdout


def test_a_build_that_cannot_be_installed_is_named_at_the_end(fake_machine):
    root, tools = fake_machine
    stand_in(root, "none", ("cpu", "cu126"), torch="2.9.1+cu130", uv_fails=("cu126",))
    done = bash(root / "setup.sh", "t4_gpu", PATH=str(tools), TORCH_CHANNEL="cu126")
    assert "trying the default package index" in done.stdout
    assert "in place of a cu126 build." in done.stdout


def test_it_runs_the_tests_and_hands_on_their_verdict(fake_machine):
    root, tools = fake_machine
    stand_in(root, "pytest")
    done = bash(root / "setup.sh", "test", PATH=str(tools))
    assert done.returncode == 3
    asked = calls(root)[-1]
    assert asked.startswith("-m pytest ")
    assert asked.endswith(" -m not gpu and not network")


@pytest.mark.parametrize("command", ["doctor", "demo"])
def test_a_failing_proof_fails_the_setup(fake_machine, command):
    root, tools = fake_machine
    stand_in(root, command)
    done = bash(root / "setup.sh", PATH=str(tools))
    assert done.returncode == 1
    assert command in done.stderr
    assert calls(root)[-1] == f"cli.py {command}"


def test_the_edge_of_transformers_comes_and_goes(fake_machine):
    root, tools = fake_machine
    stand_in(root, "nothing-fails")
    bash(root / "setup.sh", "--dinov3-edge", "--install-only", PATH=str(tools))
    assert "transformers @ git+https://" in calls(root)[-1]
    bash(root / "setup.sh", "--dinov3-stable", "--install-only", PATH=str(tools))
    assert calls(root)[-1].endswith("--reinstall-package transformers transformers")


def test_clean_removes_what_was_made_and_keeps_results(tree):
    done = bash(tree / "clean.sh", cwd=tree.parent)
    assert done.returncode == 0, done.stderr
    assert present(tree, MADE) == []
    assert present(tree, (*RESULTS, *KEPT)) == [*RESULTS, *KEPT]


def test_a_dry_run_names_everything_and_removes_nothing(tree):
    done = bash(tree / "clean.sh", "--all", "-n")
    assert done.returncode == 0
    assert "would remove .venv" in done.stdout
    assert "would remove data/input.mp4" in done.stdout
    assert present(tree, (*MADE, *RESULTS, *KEPT)) == [*MADE, *RESULTS, *KEPT]


def test_all_needs_an_answer_and_then_keeps_only_the_places(tree):
    refused = bash(tree / "clean.sh", "--all")
    assert refused.returncode == 1
    assert "--yes" in refused.stderr
    assert present(tree, RESULTS) == list(RESULTS)
    assert bash(tree / "clean.sh", "--all", "--yes").returncode == 0
    assert present(tree, (*MADE, *RESULTS)) == []
    assert present(tree, KEPT) == list(KEPT)


def test_clean_follows_no_link_out_of_the_project(tree, tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "precious").write_text("x")
    shutil.rmtree(tree / "data")
    (tree / "data").symlink_to(outside)
    (tree / "outputs" / "link").symlink_to(outside)
    (tree / "__pycache__").symlink_to(tmp_path / "gone")
    shutil.rmtree(tree / ".venv")
    (tree / ".venv").symlink_to(outside)
    assert bash(tree / "clean.sh", "--all", "--yes").returncode == 0
    assert (outside / "precious").exists()
    assert not (tree / "outputs" / "link").is_symlink()
    assert not (tree / "__pycache__").is_symlink()
    assert not (tree / ".venv").is_symlink()
