#!/usr/bin/env bash
# Removes what setup.sh and runs made here; data/ and outputs/ stay unless --all is given.
set -euo pipefail

ROOT="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)"
cd "$ROOT"

ALL=no
DRY=no
YES=no

usage() {
  cat <<'TEXT'
Usage: bash clean.sh [--all] [-n] [--yes]

Removes .venv, caches, build leftovers and half-written results.

  --all          also empty data/ and outputs/ (their .gitkeep stays)
  -n, --dry-run  only say what would go
  --yes          do not ask before emptying data/ and outputs/
  -h, --help     this text
TEXT
}

fail() {
  printf 'clean: %s\n' "$1" >&2
  exit "${2:-1}"
}

remove() {
  local path
  for path in "$@"; do
    [ -e "$path" ] || [ -L "$path" ] || continue
    if [ "$DRY" = yes ]; then
      printf 'would remove %s\n' "${path#./}"
    else
      printf 'removing %s\n' "${path#./}"
      rm -rf -- "$path"
    fi
  done
}

# Feeds the paths that find prints to remove; find never follows a link here.
remove_found() {
  local path
  while IFS= read -r path; do
    remove "$path"
  done < <(find -P "$@" -print 2>/dev/null)
}

confirm() {
  if [ "$YES" = yes ] || [ "$DRY" = yes ]; then return 0; fi
  [ -t 0 ] || fail "$1 There is no terminal for the answer; run it again with --yes."
  local answer
  printf '%s [y/N] ' "$1"
  read -r answer
  case "$answer" in
    y | Y | yes) ;;
    *) fail "nothing was removed." ;;
  esac
}

while [ $# -gt 0 ]; do
  case "$1" in
    --all) ALL=yes ;;
    -n | --dry-run) DRY=yes ;;
    --yes | -y) YES=yes ;;
    -h | --help) usage && exit 0 ;;
    *) fail "'$1' is not an option; see: bash clean.sh --help" 2 ;;
  esac
  shift
done

if [ "$ALL" = yes ]; then
  confirm "Remove everything in data/ and outputs/ too?"
fi

remove .venv build dist .coverage .mypy_cache .ruff_cache .pytest_cache .hypothesis __pycache__
remove src/*.egg-info
remove_found src tests -name __pycache__ -prune
remove_found outputs \( -type f -name '*.partial*' -o -type d \( -name '*.partial' -o -name '*.partial-[0-9]' \) \) -prune
if [ "$ALL" = yes ]; then
  remove_found data outputs -mindepth 1 -maxdepth 1 ! -name .gitkeep
fi
