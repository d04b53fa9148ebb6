#!/usr/bin/env bash
# Installs what is missing, builds, and runs every test.
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/install_dependencies.sh
echo "cairn: building into build/release"
scripts/build.sh build/release "$@"
ctest --test-dir build/release --output-on-failure -j "$(nproc)"
