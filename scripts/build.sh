#!/usr/bin/env bash
# Configures and builds into DIR; a second run builds what changed.
#   scripts/build.sh DIR [cmake options…] [-- TARGET…]
set -euo pipefail
source_dir=$(cd "$(dirname "$0")/.." && pwd)
build_dir=$1
shift
options=()
while [ $# -gt 0 ] && [ "$1" != "--" ]; do
  options+=("$1")
  shift
done
[ $# -eq 0 ] || shift
# A compiler cache, where there is one, serves every checkout alike.
export CCACHE_BASEDIR=$source_dir CCACHE_NOHASHDIR=1
generator=()
[ -e "$build_dir/CMakeCache.txt" ] || ! command -v ninja >/dev/null || generator=(-G Ninja)

mkdir -p "$build_dir"
log=$build_dir/build.log
if ! cmake -S "$source_dir" -B "$build_dir" "${generator[@]}" "${options[@]}" >"$log" 2>&1; then
  cat "$log" >&2
  echo "cairn: configuring failed; the whole output is above and in $log" >&2
  exit 1
fi
grep -E '^-- cairn' "$log"
if ! cmake --build "$build_dir" -j "$(nproc)" ${1:+--target "$@"} >"$log" 2>&1; then
  cat "$log" >&2
  echo "cairn: the build failed; the whole output is above and in $log" >&2
  exit 1
fi
grep -E 'warning:' "$log" || true
