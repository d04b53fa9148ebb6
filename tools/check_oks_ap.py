#!/usr/bin/env python3
"""Checks the average precision of `cairn eval keypoints` against pycocotools.

    python3 tools/check_oks_ap.py --cairn build/cairn [--sets 200]

Needs numpy and pycocotools. Draws annotations and results with ties, crowds, persons without labels, images
without persons and with more than twenty detections. Exits with 1 on a difference above 1e-9.
"""
import argparse
import contextlib
import io
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

KEYS = ["ap", "ap50", "ap75", "ap_medium", "ap_large", "ar", "ar50", "ar75", "ar_medium", "ar_large"]
SIGMAS = np.array([0.26, 0.25, 0.25, 0.35, 0.35, 0.79, 0.79, 0.72, 0.72, 0.62, 0.62, 1.07, 1.07, 0.87, 0.87, 0.89,
                   0.89]) / 10
NAMES = ["nose"] + [f"{side}_{part}" for part in
                    ["eye", "ear", "shoulder", "elbow", "wrist", "hip", "knee", "ankle"] for side in ["left", "right"]]


def person(rng, image, number):
    side = float(rng.choice([20, 40, 80, 160, 320]))
    x, y = rng.integers(0, 200, 2)
    points = np.zeros((17, 3))
    if rng.random() > 0.2:
        points[:, :2] = np.round([x, y] + rng.random((17, 2)) * side)
        points[:, 2] = rng.choice([0, 1, 2], 17, p=[0.3, 0.2, 0.5])
        points[points[:, 2] == 0] = 0
    area = float(rng.choice([0.5 * side * side, 32 * 32, 96 * 96]))
    return {"id": number, "image_id": image, "category_id": 1, "bbox": [float(x), float(y), side, side], "area": area,
            "iscrowd": int(rng.random() < 0.15), "keypoints": points.ravel().tolist(),
            "num_keypoints": int((points[:, 2] > 0).sum())}


def draw(rng):
    images = [int(i) for i in rng.choice(1000, rng.integers(1, 8), replace=False) + 1]
    annotations, results = [], []
    for image in images:
        persons = [person(rng, image, len(annotations) + i + 1) for i in range(rng.integers(0, 6))]
        annotations += persons
        for _ in range(rng.integers(0, 26)):
            points = np.array(rng.choice(persons)["keypoints"]).reshape(17, 3) if persons else np.zeros((17, 3))
            points = points + np.c_[np.round(rng.normal(0, rng.choice([0, 1, 4, 20]), (17, 2))), np.zeros(17)]
            results.append({"image_id": image, "category_id": 1, "keypoints": points.ravel().tolist(),
                            "score": float(rng.integers(0, 8)) / 8})
    category = {"id": 1, "name": "person", "keypoints": NAMES, "skeleton": [], "sigmas": SIGMAS.tolist()}
    truth = {"images": [{"id": i, "file_name": f"{i}.png", "width": 640, "height": 640} for i in images],
             "annotations": annotations, "categories": [category]}
    return truth, results


def reference(truth, results):
    with contextlib.redirect_stdout(io.StringIO()):
        coco = COCO()
        coco.dataset = truth
        coco.createIndex()
        evaluation = COCOeval(coco, coco.loadRes(results), "keypoints")
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    return evaluation.stats


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--cairn", required=True, help="the program")
    arguments.add_argument("--sets", type=int, default=200)
    options = arguments.parse_args()
    worst = compared = 0
    with tempfile.TemporaryDirectory() as folder:
        files = [str(Path(folder) / name) for name in ("truth.json", "results.json")]
        for number in range(options.sets):
            truth, results = draw(np.random.default_rng(number))
            if not results or not any(a["num_keypoints"] and not a["iscrowd"] for a in truth["annotations"]):
                continue
            for name, content in zip(files, (truth, results)):
                Path(name).write_text(json.dumps(content))
            done = subprocess.run([options.cairn, "eval", "keypoints", "--truth", files[0], "--predictions", files[1],
                                   "--json"], capture_output=True, text=True)
            if done.returncode != 0:
                sys.exit(f"set {number}: {done.stderr}")
            answer = json.loads(done.stdout)["oks"]
            difference = max(abs(answer[key] - value) for key, value in zip(KEYS, reference(truth, results)))
            if difference > 1e-9:
                print(f"set {number}: {answer} differs from {reference(truth, results)}")
            worst = max(worst, difference)
            compared += 1
    print(f"{compared} sets, largest difference {worst:.2g}")
    sys.exit(int(worst > 1e-9))


if __name__ == "__main__":
    main()
