#!/usr/bin/env bash
# Installs what the build needs and this machine lacks, from the distribution's packages, and says what
# and why. Nothing is asked of the network when nothing is missing. Debian 12, Ubuntu 24.04; root or sudo.
#   scripts/install_dependencies.sh            what the build, the tests and the demo use
#   scripts/install_dependencies.sh --checks   also what .ci/run needs (format check)
set -euo pipefail

packages=(
  "g++|the compiler"
  "cmake|the build system"
  "ninja-build|builds in parallel"
  "libboost-context-dev|fibers: the simt device, CUDA kernels without a GPU"
  "libdnnl-dev|oneDNN: fast convolutions on the CPU"
  "libeigen3-dev|small dense solves"
  "libstb-dev|reads and writes images"
  "libcli11-dev|the command line"
  "libtomlplusplus-dev|recipes"
  "nlohmann-json3-dev|JSON"
  "libgtest-dev|tests"
  "libopencv-calib3d-dev|OpenCV's detectors and homography estimator, to compare with"
)
if [ "${1:-}" = "--checks" ]; then
  packages+=("clang-format|the format check")
fi

if ! command -v dpkg >/dev/null || ! command -v apt-get >/dev/null; then
  echo "cairn: this is not Debian or Ubuntu. Install these yourself, under your system's names:" >&2
  printf '  %s\n' "${packages[@]/|/: }" >&2
  exit 0
fi

missing=()
for entry in "${packages[@]}"; do
  name=${entry%%|*}
  if ! dpkg-query -W -f '${db:Status-Status}\n' "$name" 2>/dev/null | grep -qx installed; then
    missing+=("$name")
    echo "cairn: installing $name (${entry#*|})"
  fi
done
[ ${#missing[@]} -gt 0 ] || exit 0

as_root=()
if [ "$(id -u)" -ne 0 ]; then
  if ! command -v sudo >/dev/null; then
    echo "cairn: these packages are missing and neither root nor sudo is at hand: ${missing[*]}" >&2
    echo "  to do: ask an administrator to run: apt-get install ${missing[*]}" >&2
    exit 1
  fi
  as_root=(sudo)
fi
export DEBIAN_FRONTEND=noninteractive
"${as_root[@]}" apt-get update -q >/dev/null
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
  apt-get install -y -q --no-install-recommends "${missing[@]}" >/dev/null
