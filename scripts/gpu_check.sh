#!/usr/bin/env bash
# Everything that only a GPU can show, in one command: builds with CUDA, checks and measures, and writes
# OUT/report.md, OUT/report.json and OUT/log.txt. Exits with 1 if anything failed. Under 9 minutes after
# the build.
#   scripts/gpu_check.sh OUT                 builds in build/gpu for the GPU that is here
#   scripts/gpu_check.sh OUT --build DIR     takes DIR/cairn and DIR/tests/cairn_test_*, built anywhere
#                                            with -DCAIRN_PORTABLE_BINARIES=ON (docs/gpu/README.md)
set -euo pipefail
usage="usage: scripts/gpu_check.sh OUT [--build DIR]"
root=$(cd "$(dirname "$0")/.." && pwd)
out=
build_dir=
while [ $# -gt 0 ]; do
  case $1 in
    --build) build_dir=${2:?"$usage"}; shift 2 ;;
    -*) echo "$usage" >&2; exit 2 ;;
    *) [ -z "$out" ] || { echo "$usage" >&2; exit 2; }; out=$1; shift ;;
  esac
done
[ -n "$out" ] || { echo "$usage" >&2; exit 2; }
if ! command -v python3 >/dev/null; then
  echo "gpu_check: python3 was not found; it runs the steps and writes the report (apt-get install python3)" >&2
  exit 2
fi

if [ -z "$build_dir" ]; then
  build_dir=$root/build/gpu
  "$root/scripts/install_dependencies.sh"
  "$root/scripts/build.sh" "$build_dir" -DCAIRN_CUDA=ON -DCMAKE_CUDA_ARCHITECTURES=native -DCAIRN_SIMT=OFF \
    -- cairn cairn_test_conformance cairn_test_models cairn_test_runtime cairn_test_training cairn_test_kernels
fi
exec python3 "$root/tools/gpu_check.py" "$out" "$build_dir"
