#!/usr/bin/env python3
"""Cairn and PyTorch side by side on this machine's CPU or GPU, in one run.

    python3 tools/compare_pytorch.py --cairn build/release/cairn [--device cuda [--compiled]]

Both sides run in turn, each measurement in a process of its own; medians of the rounds are compared.
On a CPU PyTorch gets its best of eager and scripted, contiguous and channels-last, with bound threads and an
allocator that keeps its memory; the hourglass is also run by ONNX Runtime. On a GPU both are in bf16 (weights of
training in float32), PyTorch channels-last, with fused Adam and cuDNN's search for its fastest algorithms, eager and,
with --compiled, by torch.compile, which takes minutes a row: max-autotune for inference, points and descriptors
included, for training without and with CUDA graphs. Needs PyTorch, onnx and onnxruntime in the Python that runs this
(or in --python).
"""
import argparse
import contextlib
import json
import math
import os
import random
import resource
import statistics
import struct
import subprocess
import sys
import tempfile
import time

from pip_libraries import with_pip_libraries

KEEP_MEMORY = {
    "MALLOC_MMAP_MAX_": "0",
    "MALLOC_TRIM_THRESHOLD_": "100000000000",
    "MALLOC_TOP_PAD_": "100000000",
}


TRAINING_BATCH = {"cpu": 8, "cuda": 64}  # a GPU is not busy with 8 images
HOURGLASS_BATCH = {"cpu": 4, "cuda": 16}
JOINT_PAIRS = 2
MOST_SECONDS = 540  # of one measurement: max-autotune takes minutes
COMPILE = {"compiled": {}, "tuned": {"mode": "max-autotune"}, "graphs": {"mode": "reduce-overhead"}}


# ---- the PyTorch side, run as `compare_pytorch.py child CASE MODE THREADS DEVICE` -----------------------


def superpoint(torch, with_descriptor, norm=False):
    """SuperPoint v1 as plain modules; random weights, as the time does not depend on them. `norm`: with batch
    norm before each ReLU and on the logits."""
    nn = torch.nn

    def normed(channels):
        return [nn.BatchNorm2d(channels)] if norm else []

    def head(channels):
        first = [nn.Conv2d(128, 256, 3, padding=1), *normed(256), nn.ReLU(inplace=True)]
        return nn.Sequential(*first, nn.Conv2d(256, channels, 1), *(normed(65) if channels == 65 else []))

    class Network(nn.Module):
        def __init__(self):
            super().__init__()
            layers, inputs = [], 1
            for i, width in enumerate([64, 64, 64, 64, 128, 128, 128, 128]):
                if i in (2, 4, 6):
                    layers.append(nn.MaxPool2d(2))
                layers += [nn.Conv2d(inputs, width, 3, padding=1), *normed(width), nn.ReLU(inplace=True)]
                inputs = width
            self.encoder = nn.Sequential(*layers)
            self.detector = head(65)
            self.descriptor = head(256) if with_descriptor else nn.Identity()

        def forward(self, image):
            x = self.encoder(image)
            return self.detector(x), self.descriptor(x)

    torch.manual_seed(0)
    return Network()


def hourglass(torch, stacks, features=256, joints=16, depth=4):
    """Stacked hourglass as plain modules, one set of heatmaps per stack."""
    nn = torch.nn

    class Residual(nn.Module):
        def __init__(self, inputs, outputs):
            super().__init__()
            middle = outputs // 2
            layers = []
            for width, to, side in ((inputs, middle, 1), (middle, middle, 3), (middle, outputs, 1)):
                layers += [nn.BatchNorm2d(width), nn.ReLU(inplace=True), nn.Conv2d(width, to, side, padding=side // 2)]
            self.body = nn.Sequential(*layers)
            self.skip = nn.Identity() if inputs == outputs else nn.Conv2d(inputs, outputs, 1)

        def forward(self, x):
            return self.skip(x) + self.body(x)

    class Hourglass(nn.Module):
        def __init__(self, depth):
            super().__init__()
            inner = Hourglass(depth - 1) if depth > 1 else Residual(features, features)
            self.up = Residual(features, features)
            self.low = nn.Sequential(nn.MaxPool2d(2), Residual(features, features), inner,
                                     Residual(features, features), nn.Upsample(scale_factor=2.0))

        def forward(self, x):
            return self.up(x) + self.low(x)

    class Network(nn.Module):
        def __init__(self):
            super().__init__()
            self.stem = nn.Sequential(
                nn.Conv2d(3, 64, 7, stride=2, padding=3), nn.BatchNorm2d(64), nn.ReLU(inplace=True), Residual(64, 128),
                nn.MaxPool2d(2), Residual(128, 128), Residual(128, features))
            self.trunks = nn.ModuleList(
                nn.Sequential(Hourglass(depth), Residual(features, features), nn.Conv2d(features, features, 1),
                              nn.BatchNorm2d(features), nn.ReLU(inplace=True)) for _ in range(stacks))
            self.heads = nn.ModuleList(nn.Conv2d(features, joints, 1) for _ in range(stacks))
            self.from_features = nn.ModuleList(nn.Conv2d(features, features, 1) for _ in range(stacks - 1))
            self.from_maps = nn.ModuleList(nn.Conv2d(joints, features, 1) for _ in range(stacks - 1))

        def forward(self, image):
            x, maps = self.stem(image), []
            for i, trunk in enumerate(self.trunks):
                y = trunk(x)
                maps.append(self.heads[i](y))
                if i + 1 < len(self.trunks):
                    x = x + self.from_features[i](y) + self.from_maps[i](maps[-1])
            return torch.stack(maps)

    torch.manual_seed(0)
    return Network()


def faster(torch, f, mode):
    """f, compiled if the mode says how."""
    how = [options for word, options in COMPILE.items() if word in mode]
    return torch.compile(f, **how[0]) if how else f


def training_step(torch, parameters, lr, loss, mode, device):
    """A step of Adam; in bf16 what autocast rounds is, and parameters are float32."""
    optimizer = torch.optim.Adam(parameters, lr=lr, fused=device == "cuda")
    loss = faster(torch, loss, mode)

    def run():
        optimizer.zero_grad(set_to_none=True)
        with torch.autocast(device, torch.bfloat16, enabled="bf16" in mode):
            value = loss()
        value.backward()
        optimizer.step()

    return run


def hourglass_child(torch, case, mode, threads, device):
    """`hourglass N` is inference with N stacks, `hourglass N train` a training step of 4 (cuda: 16) images."""
    stacks, train = int(case.split()[1]), "train" in case
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    model = hourglass(torch, stacks).to(device)
    batch = HOURGLASS_BATCH[device] if train else 1
    image = torch.rand(batch, 3, 256, 256, device=device)
    if "cl" in mode:
        model, image = (t.to(memory_format=torch.channels_last) for t in (model, image))
    if train:
        target = torch.rand(batch, 16, 64, 64, device=device)
        run = training_step(torch, model.parameters(), 1e-4,
                            lambda: (model(image) - target).square().mean((1, 2, 3, 4)).sum(), mode, device)
    else:
        model.eval()
        if mode == "onnxruntime":
            run = onnx_runner(torch, model, image, threads)
        else:
            if "jit" in mode:
                with torch.no_grad():
                    model = torch.jit.optimize_for_inference(torch.jit.freeze(torch.jit.trace(model, image)))

            def run():
                with torch.no_grad():
                    model(image)

    return timed(torch, run, device, before)


def landmark_child(torch, case, mode, device):
    """`landmarks SIZE` is a training step of 16 images, with their warped copies."""
    from pytorch_landmark_autoencoder import landmark_autoencoder, random_batch

    size = case.split()[1]
    model = landmark_autoencoder(torch, size).to(device)
    batch = random_batch(torch, size, 16, device)
    if "cl" in mode:
        model = model.to(memory_format=torch.channels_last)
        batch[0] = batch[0].contiguous(memory_format=torch.channels_last)
    run = training_step(torch, model.parameters(), 1e-3, lambda: model.loss(*batch), mode, device)
    return timed(torch, run, device)


def onnx_runner(torch, model, image, threads):
    import onnxruntime

    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "model.onnx")
        torch.onnx.export(model, image, path, dynamo=False, opset_version=17)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
        session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    feed = {session.get_inputs()[0].name: image.numpy()}
    return lambda: session.run(None, feed)


def timed(torch, run, device, memory_before=0):
    """The median of 8 runs or 2 seconds, and the process's peak memory, also beyond `memory_before`."""
    for _ in range(3):
        run()
    if device == "cuda":
        torch.cuda.synchronize()
    times = []
    while len(times) < 8 or sum(times) < 2:
        start = time.perf_counter()
        run()
        if device == "cuda":
            torch.cuda.synchronize()
        times.append(time.perf_counter() - start)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {"ms": 1000 * statistics.median(times), "peak_mib": peak / 1024, "grown_mib": (peak - memory_before) / 1024}


def largest_about(torch, heat, radius):
    """Whether a pixel is the largest within the radius once larger ones have suppressed theirs: separable max-pools."""
    F = torch.nn.functional

    def widest(t):
        k = 2 * radius + 1
        t = F.max_pool2d(t, (1, k), stride=1, padding=(0, radius))
        return F.max_pool2d(t, (k, 1), stride=1, padding=(radius, 0))

    keep = heat == widest(heat)
    for _ in range(2):
        near = widest(keep.to(heat.dtype)) > 0
        rest = torch.where(near, torch.zeros_like(heat), heat)
        keep = keep | ((rest == widest(rest)) & ~near)
    return keep


def decode(torch, logits, coarse, radius=4, threshold=0.005, top_k=1000):
    """Softmax, shuffle to pixels, separable max-pool suppression, top-k, descriptor sampling."""
    F = torch.nn.functional
    heat = F.pixel_shuffle(F.softmax(logits, 1)[:, :-1], 8)
    keep = largest_about(torch, heat, radius)
    scores = torch.where(keep, heat, torch.zeros_like(heat))[0, 0]
    scores[:radius] = scores[-radius:] = 0
    scores[:, :radius] = scores[:, -radius:] = 0
    ys, xs = torch.nonzero(scores > threshold, as_tuple=True)
    best, order = scores[ys, xs].topk(min(top_k, ys.numel()))
    xy = torch.stack([xs[order], ys[order]], 1).to(heat.dtype)
    size = torch.tensor([coarse.shape[3] * 8, coarse.shape[2] * 8], dtype=xy.dtype, device=xy.device)
    grid = (xy + 0.5) / size * 2 - 1
    sampled = F.grid_sample(F.normalize(coarse, dim=1), grid[None, None], align_corners=False)
    return xy, best, F.normalize(sampled[0, :, 0], dim=0)


def decode_all(torch, logits, coarse, radius=4, threshold=0.005, top_k=1000):
    """The same for a batch, in fixed sizes, so that a GPU neither waits for the host nor is compiled anew: the scores
    of points that are none are 0."""
    F = torch.nn.functional
    heat = F.pixel_shuffle(F.softmax(logits.float(), 1)[:, :-1], 8)
    height, width = heat.shape[2:]
    keep = largest_about(torch, heat, radius)
    inner = F.pad(torch.ones_like(heat[:, :, radius:-radius, radius:-radius]), [radius] * 4) > 0
    scores = torch.where(keep & inner & (heat > threshold), heat, 0.0)
    best, at = scores.flatten(1).topk(top_k, 1)
    x, y = at % width, at // width
    xy = torch.stack([x, y], 2).float()
    grid = torch.stack([(x + 0.5) / width, (y + 0.5) / height], 2) * 2 - 1
    sampled = F.grid_sample(F.normalize(coarse.float(), dim=1), grid[:, None], align_corners=False)
    return xy, best, F.normalize(sampled[:, :, 0], dim=1)


def mutual_matches(torch, first, second):
    """Pairs of rows that are each other's nearest, with their cosines."""
    cosines = first @ second.t()
    best, there = cosines.max(1)
    back = cosines.argmax(0)
    rows = torch.arange(first.shape[0], device=first.device)
    mutual = back[there] == rows
    return rows[mutual], there[mutual], best[mutual]


def two_views(torch, height, width):
    """Two windows of one noisy plane, 16 pixels apart."""
    plane = torch.rand(1, 1, height + 16, width + 16)
    return torch.cat([plane[:, :, :height, :width], plane[:, :, 16:, 16:]])


def joint_loss(torch, logits, coarse, label, homography, valid):
    """Detector losses of N images and their N partners, and the doubly normalised descriptor hinge."""
    F = torch.nn.functional
    pairs, height, width = homography.shape[0], coarse.shape[2], coarse.shape[3]
    detector = F.cross_entropy(logits[:pairs], label[:pairs]) + F.cross_entropy(logits[pairs:], label[pairs:])
    y, x = torch.meshgrid(torch.arange(height, device=label.device), torch.arange(width, device=label.device),
                          indexing="ij")
    centres = torch.stack([8 * x.flatten() + 3.5, 8 * y.flatten() + 3.5, torch.ones_like(x.flatten())], 1).float()
    moved = centres @ homography.transpose(1, 2)
    same = torch.cdist(moved[..., :2] / moved[..., 2:], centres[None, :, :2]) <= 7.5
    unit = F.normalize(coarse, dim=1).flatten(2)
    cosine = torch.relu(unit[:pairs].transpose(1, 2) @ unit[pairs:])
    cosine = F.normalize(F.normalize(cosine, dim=2), dim=1)
    hinge = torch.where(same, 0.05 * torch.relu(1 - cosine), torch.relu(cosine - 0.2))
    return detector + 1e4 * (hinge * valid[:, None]).sum() / (valid.sum() * height * width)


def child(case, mode, threads, device):
    import torch

    torch.set_num_threads(threads)
    if device == "cuda":
        torch.backends.cudnn.benchmark = True
    if case.startswith("hourglass"):
        return hourglass_child(torch, case, mode, threads, device)
    if case.startswith("landmarks"):
        return landmark_child(torch, case, mode, device)
    joint = case == "joint"
    train = case == "train" or joint
    batch = 2 * JOINT_PAIRS if joint else TRAINING_BATCH[device] if train else int(case.split()[1]) if " " in case else 1
    height, width = (240, 320) if case in ("start", "joint") else (120, 160) if train else (480, 640)
    model = superpoint(torch, with_descriptor=case != "train", norm=joint).to(device)
    image = (two_views(torch, height, width) if case == "match" else torch.rand(batch, 1, height, width)).to(device)
    if "bf16" in mode and not train:
        model, image = model.bfloat16(), image.bfloat16()
    if "cl" in mode:
        model = model.to(memory_format=torch.channels_last)
        image = image.contiguous(memory_format=torch.channels_last)
    if train:
        label = torch.randint(0, 65, (batch, height // 8, width // 8)).to(device)
        shift = torch.tensor([[1, 0, 3.25], [0, 1, -2.5], [0, 0, 1]]).repeat(batch // 2, 1, 1).to(device)
        valid = torch.ones(batch // 2, height * width // 64).to(device)

        def loss():
            logits, coarse = model(image)
            if joint:
                return joint_loss(torch, logits, coarse, label, shift, valid)
            return torch.nn.functional.cross_entropy(logits, label)

        run = training_step(torch, model.parameters(), 1e-3, loss, mode, device)
    elif device == "cuda":
        model.eval()
        points = faster(torch, lambda: decode_all(torch, *model(image)), mode)
        with torch.no_grad():
            on_host = [torch.empty_like(found, device="cpu", pin_memory=True) for found in points()]

        def run():
            with torch.no_grad():
                for here, found in zip(on_host, points()):
                    here.copy_(found, non_blocking=True)
    else:
        model.eval()
        # Two images go through the network together, or one by one.
        parts = [image] if "batch" in mode else list(image.split(1))
        if "jit" in mode:
            with torch.no_grad():
                model = torch.jit.freeze(torch.jit.trace(model, parts[0]))

        def run():
            with torch.no_grad():
                outputs = [model(part) for part in parts]
                if case in ("pipeline", "start", "match"):
                    found = [decode(torch, logits[i : i + 1].float(), coarse[i : i + 1].float())
                             for logits, coarse in outputs for i in range(logits.shape[0])]
                if case == "match":
                    mutual_matches(torch, found[0][2].t(), found[1][2].t())
    if case == "start":
        run()
        return {"ms": 0}
    return timed(torch, run, device)


def superpoint_file(path):
    """SuperPoint with descriptors and random weights, as Cairn reads it; what is in it changes no time."""
    layers = {"conv1a": (64, 1, 3), "conv1b": (64, 64, 3), "conv2a": (64, 64, 3), "conv2b": (64, 64, 3),
              "conv3a": (128, 64, 3), "conv3b": (128, 128, 3), "conv4a": (128, 128, 3), "conv4b": (128, 128, 3),
              "convPa": (256, 128, 3), "convPb": (65, 256, 1), "convDa": (256, 128, 3), "convDb": (256, 256, 1)}
    header, data, generator = {"__metadata__": {"cairn.architecture": "superpoint"}}, b"", random.Random(1)
    for name, (outputs, inputs, side) in layers.items():
        spread = math.sqrt(2 / (inputs * side * side))
        weight = [generator.gauss(0, spread) for _ in range(outputs * inputs * side * side)]
        for part, shape, values in (("weight", [outputs, inputs, side, side], weight), ("bias", [outputs], [0] * outputs)):
            raw = struct.pack(f"<{len(values)}f", *values)
            header[f"{name}.{part}"] = {"dtype": "F32", "shape": shape, "data_offsets": [len(data), len(data) + len(raw)]}
            data += raw
    text = json.dumps(header).encode()
    with open(path, "wb") as out:
        out.write(struct.pack("<Q", len(text)) + text + data)
    return path


# ---- the comparison -------------------------------------------------------------------------------------


class Failed(Exception):
    """A row could not be measured; says which command said what."""


def run_json(command, env=None):
    """What a command prints: JSON, or that of a child in its last line."""
    words = " ".join(command)
    try:
        done = subprocess.run(command, capture_output=True, text=True, env=env, timeout=MOST_SECONDS)
        if done.returncode:
            raise Failed(f"{words} failed:\n{done.stderr}")
        return json.loads(done.stdout.strip().splitlines()[-1] if "child" in command else done.stdout)
    except subprocess.TimeoutExpired:
        raise Failed(f"{words} was stopped after {MOST_SECONDS} s") from None
    except (OSError, ValueError, IndexError) as e:
        raise Failed(f"{words}: {type(e).__name__}: {e}") from None


def milliseconds(ms):
    return f"{ms:.1f} ms" if ms >= 10 else f"{ms:.3f} ms"


def whole_process(command, env=None):
    """Wall milliseconds and peak MiB of one process."""
    start = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=env)
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise Failed(f"{' '.join(command)} failed")
    return 1000 * (time.perf_counter() - start), usage.ru_maxrss / 1024


class Comparison:
    def __init__(self, arguments):
        self.cairn, self.python = arguments.cairn, arguments.python
        self.threads, self.rounds, self.device = arguments.threads, arguments.rounds, arguments.device
        self.only, self.json, self.rows, self.failed = arguments.only, arguments.json, [], []
        # On a GPU binding would leave torch.compile one core to compile on.
        bound = {**KEEP_MEMORY, "OMP_NUM_THREADS": str(self.threads), "OMP_PROC_BIND": "true"}
        self.env = {**os.environ, **(bound if self.device == "cpu" else {})}
        self.cairn_env = with_pip_libraries(os.environ) if self.device == "cuda" else None

    def torch(self, case, mode):
        return run_json([self.python, __file__, "child", case, mode, str(self.threads), self.device], self.env)

    def bench(self, *words):
        where = ["--device", self.device, "--threads", str(self.threads)]
        return run_json([self.cairn, "bench", *words, *where, "--json"], self.cairn_env)

    @contextlib.contextmanager
    def attempt(self, what):
        """What fails in here is kept for the end: the other rows are measured all the same."""
        try:
            yield
        except Failed as e:
            self.failed.append(f"{what}: {e}")

    def add(self, what, cairn_words, case, modes, goal, field="median_ms"):
        """`goal`: the ratio that Cairn is to reach."""
        if self.only not in what:
            return
        ours, theirs = [], {mode: [] for mode in modes}
        with self.attempt(what):
            for _ in range(self.rounds):
                ours.append(self.bench(*cairn_words)[field])
                for mode in modes:
                    theirs[mode].append(self.torch(case, mode)["ms"])
        theirs = {mode: statistics.median(ms) for mode, ms in theirs.items() if ms}
        if not theirs:
            return
        best = min(theirs, key=theirs.get)
        mine = statistics.median(ours)
        self.row(what, milliseconds(mine), f"{milliseconds(theirs[best])} ({best})", mine / theirs[best], goal,
                 {"cairn_ms": mine, "pytorch_ms": theirs})

    def hourglasses(self):
        """Training and inference of the stacked hourglass at 256x256, and the memory that training takes: the
        tensors' peak beside how far PyTorch's process grows."""
        batch = str(HOURGLASS_BATCH["cpu"])
        train = ["train", "stacked_hourglass", "--batch", batch, "--size", "256x256"]
        work = f"hourglass training step, 2 stacks, {batch}x256x256, fp32"
        self.add(work, train, "hourglass 2 train", ["eager cl"], 0.70)
        memory = "hourglass training step, memory"
        if self.only in memory:
            with self.attempt(memory):
                ours = self.bench(*train)["peak_bytes"] / 2**20
                theirs = self.torch("hourglass 2 train", "eager cl")["grown_mib"]
                self.row(memory, f"{ours:.0f} MiB", f"{theirs:.0f} MiB", ours / theirs, 0.70)
        modes = ["eager cl", "jit", "jit cl", "onnxruntime"]
        for stacks in ("2", "8"):
            words = ["model", "stacked_hourglass", "--set", f"stacks={stacks}", "--size", "256x256"]
            self.add(f"hourglass inference, {stacks} stacks, 256x256, fp32", words, f"hourglass {stacks}", modes, 0.85)

    def row(self, what, ours, theirs, ratio, goal, numbers=None):
        goal = goal if isinstance(goal, str) else f"{goal:.2f}" if goal else "none set"
        self.rows.append({"work": what, "cairn": ours, "pytorch": theirs, "ratio": ratio, "goal": goal, **(numbers or {})})
        print(f"| {what} | {theirs} | {ours} | {ratio:.2f} | {goal} |", flush=True)
        if self.json and self.json != "-":  # after each row: what was measured is kept, whatever comes
            with open(self.json, "w") as out:
                json.dump(self.rows, out, indent=1)

    def processes(self, image, model):
        """Process start to keypoints at 240x320, and the peak memory of detection at 480x640."""
        detect = [self.cairn, "detect", "--model", model, "--json", "--device", "cpu", "--threads", str(self.threads)]
        child = [self.python, __file__, "child", "start", "eager cl", str(self.threads), "cpu"]
        starts, their_starts = [], []
        what = "process start to keypoints, 240x320"
        with self.attempt(what):
            for _ in range(self.rounds):
                starts += [whole_process([*detect, image(240, 320)])[0] for _ in range(3)]
                their_starts.append(whole_process(child, self.env)[0])
            start, theirs = statistics.median(starts), statistics.median(their_starts)
            self.row(what, f"{start:.0f} ms", f"{theirs:.0f} ms", start / theirs, "<= 150 ms")
        what = "peak memory of detection, 480x640"
        with self.attempt(what):
            other = min(self.torch("pipeline", mode)["peak_mib"] for mode in ("eager cl", "jit"))
            for precision in ("fp32", "bf16"):
                peak = statistics.median(
                    whole_process([*detect, "--precision", precision, image(480, 640)])[1] for _ in range(self.rounds))
                self.row(f"{what}, {precision} (PyTorch fp32)", f"{peak:.0f} MiB", f"{other:.0f} MiB", peak / other,
                         "<= 200 MB")


def on_a_gpu(c, compiled):
    """Goals are shares of compiled PyTorch's time, 3 and 1.5 times as fast: beside eager there is one alone."""
    bf16 = ["--precision", "bf16"]

    def modes(*words):
        return [f"{w} cl bf16" for w in ("eager", *(words if compiled else []))]

    image = ["model", "superpoint", "--detect", "--size", "480x640", *bf16]
    for batch, goal in ((1, 1 / 3), (32, 1 / 1.5)):
        c.add(f"images to keypoints and descriptors, {batch}x480x640, bf16", [*image, "--batch", str(batch)],
              f"pipeline {batch}", modes("tuned"), goal if compiled else None)
    step, goal = modes("compiled", "graphs"), 1 / 1.5 if compiled else None
    batch = str(TRAINING_BATCH["cuda"])
    c.add(f"MagicPoint training step, {batch}x120x160, bf16",
          ["train", "magicpoint", "--batch", batch, "--size", "120x160", *bf16], "train", step, goal)
    batch = str(HOURGLASS_BATCH["cuda"])
    for stacks in ("2", "8"):
        words = ["train", "stacked_hourglass", "--set", f"stacks={stacks}", "--batch", batch, "--size", "256x256", *bf16]
        c.add(f"hourglass training step, {stacks} stacks, {batch}x256x256, bf16", words, f"hourglass {stacks} train", step,
              goal)
    words = ["train", "landmark_autoencoder", "--set", "size=full", "--batch", "16", "--size", "80x80", *bf16]
    c.add("landmark autoencoder training step, 16x80x80, bf16", words, "landmarks full", step,
          1 / 1.3 if compiled else 1 / 2)


def on_a_cpu(c):
    fp32 = ["eager cl", "jit", "jit cl"]
    network = ["model", "superpoint", "--size", "480x640"]
    c.add("SuperPoint network, 480x640, fp32", network, "network", fp32, 0.70)
    bf16 = [*network, "--precision", "bf16"]
    c.add("SuperPoint network, 480x640, bf16", bf16, "network", ["eager cl bf16", "jit cl bf16"], None)
    c.add("SuperPoint network, 480x640, bf16 beside PyTorch's fp32", bf16, "network", fp32, 0.52)
    c.add("image to keypoints and descriptors, 480x640", [*network, "--detect"], "pipeline", fp32, 0.65)
    # Ours has the homography besides (RANSAC and refinement), PyTorch's ends with the matches.
    c.add("match of two 480x640 images", [*network, "--match"], "match",
          [*fp32, "jit batch", "jit cl batch"], 0.50)
    # As the weights that come along do it; PyTorch looks once.
    c.add("match of two 480x640 images, three looks at each", [*network, "--match", "--set", "scales=0.95,0.7,0.5"], "match",
          [*fp32, "jit batch", "jit cl batch"], 0.50)
    batch = TRAINING_BATCH["cpu"]
    c.add(f"MagicPoint training step, {batch}x120x160, fp32",
          ["train", "magicpoint", "--batch", str(batch), "--size", "120x160"], "train", ["eager", "eager cl"], 0.75)
    c.add(f"SuperPoint joint training step, {JOINT_PAIRS} pairs, 240x320, fp32",
          ["train", "superpoint", "--set", "norm=pre", "--batch", str(JOINT_PAIRS), "--size", "240x320"], "joint",
          ["eager", "eager cl"], 0.6)
    c.hourglasses()
    words = ["train", "landmark_autoencoder", "--set", "size=mini", "--batch", "16", "--size", "32x32"]
    c.add("landmark autoencoder training step, mini, 16x32x32, fp32", words, "landmarks mini", ["eager", "eager cl"], 0.6)
    if c.only:
        return
    with tempfile.TemporaryDirectory() as folder:

        def image(height, width):
            path = os.path.join(folder, f"{height}.pgm")
            with open(path, "wb") as out:
                out.write(b"P5 %d %d 255\n" % (width, height) + os.urandom(height * width))
            return path

        c.processes(image, superpoint_file(os.path.join(folder, "superpoint.safetensors")))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cairn", default="build/release/cairn", help="the program to measure")
    parser.add_argument("--python", default=sys.executable, help="a Python that has PyTorch")
    parser.add_argument("--only", default="", metavar="TEXT", help="only the rows whose name has TEXT in it: hourglass")
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cpu")
    parser.add_argument("--compiled", action="store_true", help="on a GPU, PyTorch compiled too")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", metavar="FILE", help="write the rows here too; - is stdout")
    arguments = parser.parse_args()

    if arguments.json and arguments.json != "-":
        os.makedirs(os.path.dirname(os.path.abspath(arguments.json)), exist_ok=True)
    c = Comparison(arguments)
    print("| work | PyTorch | Cairn | ratio | goal |\n| --- | --- | --- | --- | --- |")
    if c.device == "cuda":
        on_a_gpu(c, arguments.compiled)
    else:
        on_a_cpu(c)
    if arguments.json == "-":
        print(json.dumps(c.rows, indent=1))
    if not c.rows and not c.failed:
        c.failed.append(f"no row has '{c.only}' in its name")
    if c.failed:
        sys.exit("\n".join(c.failed))


if __name__ == "__main__":
    if sys.argv[1:2] == ["child"]:
        print(json.dumps(child(sys.argv[2], sys.argv[3], int(sys.argv[4]), sys.argv[5])))
    else:
        main()
