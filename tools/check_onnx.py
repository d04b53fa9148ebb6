#!/usr/bin/env python3
"""Checks exported graphs with ONNX's own checker and runs them in ONNX Runtime against Cairn.

    python3 tools/check_onnx.py --cairn build/cairn --model weights/superpoint.safetensors IMAGE...

Needs numpy, pillow, onnx and onnxruntime. For each image: the raw outputs of the network, and the
points with their descriptors, from a graph with open and from one with fixed size. Exits with 1 on a difference.
"""
import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from PIL import Image

TOP_K = 500


def cairn(program, *arguments):
    done = subprocess.run([program, *map(str, arguments)], capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(done.stderr)
    return done.stdout


def session(path):
    onnx.checker.check_model(onnx.load(path), full_check=True)
    return onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])


def read_safetensors(path):
    data = Path(path).read_bytes()
    length = int.from_bytes(data[:8], "little")
    header = json.loads(data[8:8 + length])
    header.pop("__metadata__", None)
    return {name: np.frombuffer(data[8 + length:], np.float32, int(np.prod(t["shape"])),
                                t["data_offsets"][0]).reshape(t["shape"])
            for name, t in header.items()}


def network_input(path, channels):
    image = Image.open(path).convert("RGB")
    array = np.asarray(image, np.int64)
    if channels == 1:
        array = (array @ np.array([299, 587, 114]) + 500)[..., None] // 1000
    return np.ascontiguousarray(array.transpose(2, 0, 1)[None].astype(np.float32) / np.float32(255))


def check_network(work, options, x, image, graph):
    cairn(options.cairn, "detect", image, "--model", options.model, *options.arch, "--device", "cpu",
          "--json", "--raw", work / "raw.safetensors")
    ours = read_safetensors(work / "raw.safetensors")
    theirs = dict(zip([o.name for o in graph.get_outputs()], graph.run(None, {"image": x})))
    worst = {n: float(np.abs(ours[n] - theirs[n]).max() / np.abs(ours[n]).max()) for n in ours}
    print("  network", {n: f"{v:.1e}" for n, v in worst.items()})
    return all(v < 1e-4 for v in worst.values())


def check_points(work, options, x, image, graph):
    cairn(options.cairn, "detect", image, "--model", options.model, *options.arch, "--device", "cpu",
          "--json", "--top-k", TOP_K, "--set", "scales=1", "--npz", work)
    ours = np.load(work / (Path(image).stem + ".npz"))
    got = dict(zip([o.name for o in graph.get_outputs()], graph.run(None, {"image": x})))
    count = int(got["count"][0])
    places = {tuple(p): i for i, p in enumerate(got["keypoints"][0][:count].astype(int))}
    pairs = [(i, places[tuple(p)]) for i, p in enumerate(ours["keypoints"].astype(int))
             if tuple(p) in places]
    share = len(pairs) / max(len(ours["keypoints"]), count, 1)
    mine, others = np.array(pairs, int).reshape(-1, 2).T
    score = np.abs(ours["scores"][mine] - got["scores"][0][others]).max(initial=0)
    cosine = 1.0
    if "descriptors" in got:
        cosine = float((ours["descriptors"][mine] * got["descriptors"][0][others]).sum(1)
                       .min(initial=1))
    print(f"  points  {len(ours['keypoints'])} here, {count} there, {share:.1%} the same; "
          f"scores differ by {score:.1e}, least cosine {cosine:.6f}")
    return share > 0.97 and score < 1e-4 and cosine > 0.9999


def check_batch(x, graph):
    """Two images at once give what each gives alone: the image, and its mirror image."""
    both = np.concatenate([x, x[..., ::-1]])
    together = graph.run(None, {"image": both})
    alone = [graph.run(None, {"image": both[i:i + 1]}) for i in range(2)]
    worst = max(float(np.abs(t - np.concatenate(a)).max()) for t, *a in zip(together, *alone))
    print(f"  batch   differs from single images by {worst:.1e}")
    return worst < 1e-3


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("images", nargs="+")
    parser.add_argument("--cairn", default="build/cairn")
    parser.add_argument("--model", required=True)
    parser.add_argument("--arch", default=[], type=lambda name: ["--arch", name])
    options = parser.parse_args()
    good = True
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        export = ["export", "--model", options.model, *options.arch, "--onnx"]
        cairn(options.cairn, *export, work / "network.onnx")
        cairn(options.cairn, *export, work / "open.onnx", "--top-k", TOP_K)
        network, points = session(work / "network.onnx"), session(work / "open.onnx")
        channels = network.get_inputs()[0].shape[1]
        for image in options.images:
            picture = Image.open(image).convert("RGB")  # as PNG, since JPEG decoders differ
            width, height = (side // 8 * 8 for side in picture.size)
            png = work / f"{Path(image).stem}.png"
            picture.crop((0, 0, width, height)).save(png)
            x = network_input(png, channels)
            print(image, x.shape)
            good &= check_network(work, options, x, png, network)
            good &= check_points(work, options, x, png, points)
            good &= check_batch(x, network) and check_batch(x, points)
            fixed = work / f"{height}x{width}.onnx"
            cairn(options.cairn, *export, fixed, "--top-k", TOP_K, "--size", f"{height}x{width}")
            good &= check_points(work, options, x, png, session(fixed))
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
