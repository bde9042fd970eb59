#!/usr/bin/env bash
# One command from nothing to a tracked video.
set -euo pipefail

ROOT="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)"
cd "$ROOT"

VENV="$ROOT/.venv"
PY="$VENV/bin/python"
STAMP="$VENV/.setup-stamp"
EDGE_TRANSFORMERS="transformers @ git+https://github.com/huggingface/transformers"

VARIANT=auto
TRANSFORMERS=stable
DEV=no
YES=no
TEST=no
RUN=yes

usage() {
  cat <<'TEXT'
Usage: bash setup.sh [cpu|t4_gpu|auto] [test] [options]

Makes .venv, installs the project, proves it (doctor) and tracks a first video (demo).

  auto              the torch build that fits this machine (default)
  cpu               the CPU build of torch
  t4_gpu            a CUDA build of torch for T4-class cards
  test              set up with the developer tools and run the tests instead of the demo

  --dev             also install the developer tools
  --dinov3-stable   transformers from the package index (default)
  --dinov3-edge     transformers from its main branch
  --install-only    stop after the installation
  --yes             answer every question with yes
  -h, --help        this text

TORCH_CHANNEL=cu126 (cu128, ...) chooses the CUDA build for t4_gpu and auto. Where the PyTorch index
has no such build of a new enough torch, the nearest one of the same CUDA version is taken.
TEXT
}

say() { printf '%s\n' "$*"; }

fail() {
  printf 'setup: %s\n' "$1" >&2
  exit "${2:-1}"
}

read_arguments() {
  while [ $# -gt 0 ]; do
    case "$1" in
      cpu | t4_gpu | auto) VARIANT="$1" ;;
      test) TEST=yes DEV=yes ;;
      --dev) DEV=yes ;;
      --dinov3-stable) TRANSFORMERS=stable ;;
      --dinov3-edge) TRANSFORMERS=edge ;;
      --install-only) RUN=no ;;
      --yes | -y) YES=yes ;;
      -h | --help) usage && exit 0 ;;
      *) fail "'$1' is neither a variant nor an option; see: bash setup.sh --help" 2 ;;
    esac
    shift
  done
}

# The torch build to ask for; "default" takes what the package index has.
choose_backend() {
  local channel="${TORCH_CHANNEL:-}"
  case "$channel" in
    "" | cpu | auto | cu[0-9]* | rocm[0-9]* | xpu) ;;
    *) fail "TORCH_CHANNEL='$channel' is not a torch build; give one such as cu124, cu126 or cu128." 2 ;;
  esac
  case "$VARIANT" in
    cpu) BACKEND=cpu ;;
    t4_gpu) BACKEND="${channel:-cu126}" ;;
    auto) BACKEND="${channel:-${UV_TORCH_BACKEND:-auto}}" ;;
  esac
  if [ "$(uname -s)" = Darwin ]; then BACKEND=default; fi
}

confirm() {
  if [ "$YES" = yes ]; then return 0; fi
  [ -t 0 ] || fail "$1 There is no terminal for the answer; run it again with --yes."
  local answer
  printf '%s [y/N] ' "$1"
  read -r answer
  case "$answer" in
    y | Y | yes) ;;
    *) fail "nothing was changed." ;;
  esac
}

# True for a Python that starts and is new enough: a version manager's shim may do neither.
is_python() {
  "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1
}

find_python() {
  local name
  for name in python3.13 python3.12 python3.11 python3; do
    if command -v "$name" >/dev/null 2>&1 && is_python "$name"; then
      printf '%s' "$name"
      return 0
    fi
  done
  fail "no Python 3.11 or newer was found; install one and run this again."
}

make_venv() {
  if [ -e "$VENV" ] || [ -L "$VENV" ]; then
    if [ -x "$PY" ] && is_python "$PY"; then return 0; fi
    confirm ".venv is broken or holds a Python older than 3.11. Replace it?"
    rm -rf "$VENV"
  fi
  local python
  python="$(find_python)"
  say "Making .venv with $("$python" --version)."
  if "$python" -m venv "$VENV" >/dev/null 2>&1; then return 0; fi
  rm -rf "$VENV"
  if command -v uv >/dev/null 2>&1 && uv venv --quiet --python "$python" "$VENV"; then return 0; fi
  fail "$python cannot make a virtual environment; install its venv package (python3-venv)."
}

# uv does not read pip's settings; a machine behind a mirror often has only those.
carry_pip_settings() {
  local index="${PIP_INDEX_URL:-}"
  if [ -z "$index" ]; then
    index="$("$PY" -m pip config get global.index-url 2>/dev/null || true)"
  fi
  if [ -n "$index" ] && [ -z "${UV_DEFAULT_INDEX:-}${UV_INDEX_URL:-}" ]; then
    export UV_DEFAULT_INDEX="$index"
  fi
  if [ -n "${PIP_CERT:-}" ] && [ -z "${SSL_CERT_FILE:-}" ]; then
    export SSL_CERT_FILE="$PIP_CERT"
  fi
}

knows_torch_backend() {
  "$1" pip install --help 2>/dev/null | grep -e --torch-backend >/dev/null
}

find_uv() {
  UV="$(command -v uv || true)"
  if [ -n "$UV" ] && knows_torch_backend "$UV"; then return 0; fi
  UV="$VENV/bin/uv"
  if [ -x "$UV" ] && knows_torch_backend "$UV"; then return 0; fi
  "$PY" -m pip --version >/dev/null 2>&1 || "$PY" -m ensurepip >/dev/null 2>&1 ||
    fail "the Python in .venv has no pip; remove .venv, install python3-venv and run this again."
  "$PY" -m pip install --quiet --disable-pip-version-check --upgrade uv ||
    fail "uv could not be installed; is the package index reachable?"
}

# Asks once and briefly: an unreachable index must cost seconds, not a row of retries.
has_torch() {
  UV_HTTP_RETRIES=0 UV_HTTP_TIMEOUT=5 UV_HTTP_CONNECT_TIMEOUT=5 \
    "$UV" pip install --quiet --dry-run --no-deps --python "$PY" \
    --torch-backend="$1" --reinstall "$TORCH" >/dev/null 2>&1
}

# The CUDA builds that the PyTorch index has of a torch that is new enough.
list_builds() {
  local name seen=" "
  while read -r name; do
    case "$seen" in *" $name "*) continue ;; esac
    seen="$seen$name "
    if [ "${name#cu}" -ge 118 ] && has_torch "$name"; then printf ' %s' "$name"; fi
  done < <("$UV" pip install --help 2>/dev/null | grep -o 'cu1[1-9][0-9]')
}

# Of the builds $2, the one nearest to $1 that a driver for it runs too: of the same major version.
nearest_build() {
  local wanted="${1#cu}" best="" name number
  for name in $2; do
    number="${name#cu}"
    if [ $((number / 10)) -ne $((wanted / 10)) ]; then continue; fi
    if [ -z "$best" ]; then
      best="$number"
    elif [ "$number" -ge "$wanted" ]; then
      if [ "$best" -lt "$wanted" ] || [ "$number" -lt "$best" ]; then best="$number"; fi
    elif [ "$best" -lt "$wanted" ] && [ "$number" -gt "$best" ]; then
      best="$number"
    fi
  done
  printf '%s' "${best:+cu$best}"
}

# Sets BUILD to the build to install, another one than BACKEND where that does not exist; fails
# where the index can't be reached.
choose_build() {
  local wanted="$BACKEND" builds
  BUILD="$BACKEND"
  TORCH="$(grep -o -m 1 'torch>=[0-9.]*' pyproject.toml)"
  if has_torch "$BACKEND"; then return 0; fi
  case "$BACKEND" in
    cu*) ;;
    auto) wanted=cu120 ;;
    *) return 1 ;;
  esac
  if ! has_torch cpu; then return 1; fi
  say "The PyTorch index has no $TORCH for '$BACKEND'; looking which CUDA builds it has."
  builds="$(list_builds)"
  BUILD="$(nearest_build "$wanted" "$builds")"
  if [ -z "$BUILD" ]; then
    fail "There is no build for '$BACKEND' or its CUDA version. Choose one with TORCH_CHANNEL:${builds:- none was found}." 2
  fi
  say "It has$builds. Taking $BUILD: drivers of one CUDA major version run all its builds."
}

install_project() {
  local what=".[$EXTRAS]" reinstall="${1:-}"
  if [ "$BACKEND" != default ]; then
    if choose_build; then
      # shellcheck disable=SC2086 # the list of flags may be empty
      if "$UV" pip install --python "$PY" $reinstall --torch-backend="$BUILD" -e "$what"; then
        return 0
      fi
      say "That did not work with the PyTorch index; trying the default package index."
    else
      say "The PyTorch index can't be reached: torch comes from the default package index" \
        "(on Linux a CUDA build of about 6 GB that also runs on the CPU)."
    fi
  fi
  env -u UV_TORCH_BACKEND "$UV" pip install --python "$PY" -e "$what" ||
    fail "the installation failed; the lines above say why."
}

# Moves transformers to its main branch, or back to a release.
install_transformers() {
  if [ "$TRANSFORMERS" = edge ]; then
    "$UV" pip install --python "$PY" --reinstall-package transformers "$EDGE_TRANSFORMERS" ||
      fail "transformers could not be installed from its main branch; use --dinov3-stable instead."
  elif [ "${1:-}" != "" ] && [ "$1" != stable ]; then
    "$UV" pip install --python "$PY" --reinstall-package transformers transformers ||
      fail "transformers could not be installed from the package index."
  fi
}

# A stamp inside .venv says what is installed, so that a second run installs nothing.
install() {
  EXTRAS=onnx,eval,report,completion
  if [ "$VARIANT" != t4_gpu ] || [ "$TEST" = yes ]; then EXTRAS="$EXTRAS,openvino"; fi
  if [ "$DEV" = yes ]; then EXTRAS="$EXTRAS,dev"; fi
  local wanted was_torch="" was_transformers="" reinstall=""
  wanted="$BACKEND $TRANSFORMERS $EXTRAS $ROOT
$(cat pyproject.toml)"
  if [ -f "$STAMP" ]; then
    if [ "$(cat "$STAMP")" = "$wanted" ]; then
      say "Everything is installed already."
      return 0
    fi
    read -r was_torch was_transformers _ <"$STAMP" || true
  fi
  printf 'unfinished unfinished\n' >"$STAMP"
  if [ -n "$was_torch" ] && [ "$was_torch" != "$BACKEND" ]; then
    reinstall="--reinstall-package torch --reinstall-package torchvision"
  fi
  carry_pip_settings
  find_uv
  install_project "$reinstall"
  install_transformers "$was_transformers"
  printf '%s\n' "$wanted" >"$STAMP"
}

read_arguments "$@"
choose_backend
make_venv
install

if [ "$TEST" = yes ] && [ "$RUN" = yes ]; then
  # A process for each core and a file of tests at a time; more threads would only stand in line.
  export OMP_NUM_THREADS=1
  exec "$PY" -m pytest -n logical --maxprocesses 4 --dist loadfile -m "not gpu and not network"
fi
# Names the build of torch where it is not the one that was asked for.
describe_torch() {
  local torch
  torch="$("$PY" -c 'import torch; print(torch.__version__)' 2>/dev/null || true)"
  case "$BACKEND" in auto | default) return 0 ;; esac
  case "$torch" in
    *+"$BACKEND" | "") ;;
    *) printf ', with torch %s in place of a %s build' "$torch" "$BACKEND" ;;
  esac
}

if [ "$RUN" = yes ]; then
  # Who asks for the CPU does not miss a device.
  if [ "$VARIANT" = cpu ]; then export CUDA_VISIBLE_DEVICES=""; fi
  "$PY" cli.py doctor || fail "the doctor found a problem; each failed line above names its remedy."
  "$PY" cli.py demo || fail "the demo did not finish."
  say "Ready$(describe_torch). Next: source .venv/bin/activate && python cli.py --source video.mp4"
fi
