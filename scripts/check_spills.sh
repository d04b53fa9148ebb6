#!/usr/bin/env bash
# Fails if a kernel spills registers to memory, by what ptxas said during a CUDA build.
#   scripts/check_spills.sh DIR/build.log           the kernels that spill, and a count of all
#   scripts/check_spills.sh DIR/build.log --list    every kernel: architecture, registers, spills
# The log of scripts/build.sh names the kernels which that run compiled: check it after a fresh build.
set -euo pipefail
log=$1
list=${2:-}
demangle="cat"
! command -v c++filt >/dev/null || demangle=c++filt

table=$($demangle <"$log" | awk '
  /ptxas info.*Compiling entry function/ {
    split($0, quoted, "\047")
    kernel = quoted[2]; architecture = quoted[4]
    sub(/^void /, "", kernel)
    gsub(/cairn::(cuda::)?|\(anonymous namespace\)::/, "", kernel)
    sub(/\(.*/, "", kernel)
  }
  /bytes spill stores/ { split($0, word, ","); spilled = word[2] + word[3] }
  /ptxas info.*Used [0-9]+ registers/ {
    match($0, /Used [0-9]+/)
    printf "%-7s %3d registers %4d bytes spilled  %s\n", architecture,
           substr($0, RSTART + 5, RLENGTH - 5), spilled, kernel
  }' | sort -u)
if [ -z "$table" ]; then
  echo "check_spills: $log names no kernel; build the CUDA kernels afresh (scripts/build.sh DIR -DCAIRN_CUDA=ON)" >&2
  exit 1
fi
[ "$list" != --list ] || echo "$table"
spilling=$(echo "$table" | grep -v ' 0 bytes spilled' || true)
if [ -n "$spilling" ]; then
  [ "$list" = --list ] || echo "$spilling"
  echo "check_spills: $(echo "$spilling" | wc -l) of $(echo "$table" | wc -l) kernels spill registers" >&2
  exit 1
fi
echo "check_spills: none of $(echo "$table" | wc -l) kernels spills registers"
