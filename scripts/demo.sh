#!/usr/bin/env bash
# From nothing to detected corners: installs what is missing, builds, shows what this machine offers,
# draws synthetic shapes, trains a small MagicPoint for two minutes, measures it beside FAST, Harris and
# Shi-Tomasi, and finds corners in an image. With the weights that come along it then matches the image with a
# warped copy.
#   scripts/demo.sh [--short] [IMAGE]      --short: a few training steps, to see that all of it works
set -euo pipefail
cd "$(dirname "$0")/.."
steps=760
images=120
if [ "${1:-}" = "--short" ]; then
  steps=4
  images=12
  shift
fi
image=${1:-}
out=out/demo
rm -rf "$out"

say() { printf '\n\033[1m%s\033[0m\n' "$1"; }

scripts/install_dependencies.sh
say "Building (build/release)"
scripts/build.sh build/release -- cairn
cairn=build/release/cairn

say "What this machine offers"
"$cairn" doctor
say "Synthetic shapes: corners are known, because they were drawn"
mkdir -p "$out"
"$cairn" data shapes --out "$out/shapes.png"
say "Training MagicPoint on them ($steps steps)"
"$cairn" train recipes/magicpoint.toml --out "$out/magicpoint" \
  --set train.steps=$steps --set train.batch=8 --set train.final_lr_fraction=0.02 \
  --set train.evaluate_every=380 --set eval.images=$images
say "Average precision on fresh shapes, clean and noisy, beside the classical detectors"
"$cairn" eval shapes --model "$out/magicpoint/model.safetensors" --images "$images" --classical
if [ -z "$image" ]; then
  image=$out/scene.png
  "$cairn" data scene --out "$image"
fi
say "Corners in $image"
"$cairn" detect "$image" --model "$out/magicpoint/model.safetensors" --top-k 300 --out "$out/detected"
pictures=("$out/shapes.png" "$out/magicpoint/report.html" "$out"/detected/*.png)
superpoint=weights/superpoint.safetensors
if [ -e "$superpoint" ]; then
  say "Points and descriptors of $superpoint: $image matched with a copy seen from elsewhere"
  "$cairn" data warp "$image" --out "$out/warped.png"
  "$cairn" match "$image" "$out/warped.png" --model "$superpoint" --out "$out/match.png"
  pictures+=("$out/match.png")
fi
say "Look at"
printf '  %s\n' "${pictures[@]}"
