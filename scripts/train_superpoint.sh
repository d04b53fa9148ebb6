#!/usr/bin/env bash
# SuperPoint from nothing, in one folder and four stages. A stage that is done is left out, one that was
# interrupted is gone on with: run the same line again.
#   textures   procedural photographs                        cairn data textures
#   crops      parts of the photographs at several scales    cairn data crops
#   labels     points of both, by homographic adaptation of MagicPoint   cairn label
#   run        detector and descriptor together              cairn train recipes/superpoint.toml
# With --rounds 2, labels and run are made again with the network of the first round (labels-2, run-2).
#
#   scripts/train_superpoint.sh [--out DIR] [--device cpu|cuda] [--photos DIR]... [--textures N] [--size HxW]
#                               [--steps N] [--rounds N] [--cairn PROGRAM] [--set KEY=VALUE]...
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
out=out/superpoint
device=cpu
textures=500
size=120x160
rounds=1
cairn=$root/build/release/cairn
photos=()
settings=()
while [ $# -gt 0 ]; do
  if [ $# -lt 2 ]; then
    sed -n '10,11s/^# *//p' "$0" >&2
    exit 2
  fi
  case $1 in
    --out) out=$2 ;;
    --device) device=$2 ;;
    --photos) photos+=("$2") ;;
    --textures) textures=$2 ;;
    --size) size=$2 ;;
    --steps) settings+=(--set "train.steps=$2") ;;
    --rounds) rounds=$2 ;;
    --cairn) cairn=$2 ;;
    --set) settings+=(--set "$2") ;;
    *)
      echo "train_superpoint: unknown option $1" >&2
      exit 2
      ;;
  esac
  shift 2
done
if [ ! -x "$cairn" ]; then
  echo "train_superpoint: there is no program $cairn; build it (scripts/build.sh build/release -- cairn)" >&2
  echo "  or name one with --cairn" >&2
  exit 2
fi

say() { printf '\n\033[1m%s\033[0m\n' "$1"; }
started=$(date +%s)
mkdir -p "$out"

# make FOLDER COMMAND...: the command writes a folder, which is there as a whole or not at all.
make() {
  if [ -d "$1" ]; then return; fi
  rm -rf "$1.unfinished"
  "${@:2}" --size "$size" --out "$1.unfinished" >/dev/null
  mv "$1.unfinished" "$1"
  echo "written to $1"
}
say "Drawing $textures textures of $size"
make "$out/textures" "$cairn" data textures --images "$textures" --seed 1
images=("$out/textures")
if [ ${#photos[@]} -gt 0 ]; then
  say "Cutting photographs"
  make "$out/crops" "$cairn" data crops "${photos[@]}"
  images=("$out/crops" "${images[@]}")
fi

# On a GPU the pairs of the next batches are made meanwhile, one worker per core.
workers=0
[ "$device" = cpu ] || workers=$(($(nproc) > 1 ? $(nproc) - 1 : 1))
list=$(printf ', "%s"' "${images[@]}")

teacher=$root/weights/magicpoint.safetensors
for ((round = 1; round <= rounds; ++round)); do
  suffix=
  [ "$round" = 1 ] || suffix=-$round
  labels=$out/labels$suffix run=$out/run$suffix
  say "Round $round of $rounds: labels by $teacher"
  "$cairn" label "${images[@]}" --model "$teacher" --size "$size" --device "$device" --out "$labels"
  say "Round $round of $rounds: training"
  if [ -e "$run/checkpoint.safetensors" ]; then
    "$cairn" train --resume "$run" --device "$device"
  else
    "$cairn" train "$root/recipes/superpoint.toml" --out "$run" --device "$device" \
      --set "data.images=[${list:2}]" --set "data.labels=$labels" --set "data.workers=$workers" \
      --set "data.height=${size%x*}" --set "data.width=${size#*x}" \
      --set "train.initial_weights=$teacher" "${settings[@]}"
  fi
  teacher=$run/model.safetensors
done

say "Done in $((($(date +%s) - started) / 60)) min of this call"
printf '  %s\n' "$teacher" "$(dirname "$teacher")/report.html"
