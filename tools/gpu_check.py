#!/usr/bin/env python3
"""The steps of scripts/gpu_check.sh.

    tools/gpu_check.py OUT BUILD

Each step runs one command with a time limit and is judged by what it printed; the next one runs
whatever came of it. Needs nothing but Python 3; PyTorch is used where it is there.
"""
import datetime
import functools
import json
import os
import re
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time

from gpu_report import write
from pip_libraries import with_pip_libraries

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
DATA = os.environ.get("CAIRN_DATA", os.path.join(ROOT, "../shared/data"))
BUDGET_S = 540  # of all steps together; a step gets its own limit or what is left

# Small rows of the conformance table whose kernels share memory within a block, pass values between
# blocks or gather at computed places: where a race or a wrong index would be.
# Products by a tile of ours: else cuBLASLt would be what is looked at.
SANITIZED = ("batch_norm/cuda best_peaks/cuda bias_activation/cuda conv2d/cuda/mma_128x64 conv2d/cuda/wgmma_16x16 "
             "conv2d_pair/cuda conv2d_pair/cuda/wgmma residual_block/cuda/wgmma_16x16 gradient_norm/cuda grid_sample/cuda "
             "softmax_cross_entropy/cuda spatial_softmax/cuda").split()
PYTORCH_ROWS = ["1x480x640", "32x480x640", "MagicPoint", "2 stacks", "8 stacks", "landmark autoencoder"]


class Failed(Exception):
    """The step did not show what it should; says what it showed, and has the data that there is."""

    def __init__(self, says, data=None):
        super().__init__(says)
        self.data = data


class Skipped(Exception):
    """The step cannot run here; says why."""


# ---- judges: what a step printed -> (one sentence, data for the report) -----------------------------------


def judge_doctor(out):
    found = json.loads(out)
    cuda = next(d for d in found["devices"] if d["name"] == "cuda")
    if not cuda["available"]:
        raise Failed(cuda["why"])
    libraries = ", ".join(f"{name} {version or 'not found'}" for name, version in cuda["libraries"].items())
    return f"{cuda['description']}; {libraries}", found


def judge_tests(out):
    if "Running 0 tests" in out:
        raise Failed("no test ran: the device cuda is not there, or no test has that name")
    ran = re.search(r"^\[=+\] (\d+) tests? from .* ran\.", out, re.M)
    failed = sorted(set(re.findall(r"^\[  FAILED  \] ([A-Za-z_]\w*[./][^\s,]+)", out, re.M)))
    if not ran:
        begun = re.findall(r"^\[ RUN      \] (\S+)", out, re.M)
        raise Failed(f"it ended within {begun[-1]}" if begun else "it ended before the first test")
    skipped = re.search(r"^\[  SKIPPED \] (\d+) test", out, re.M)
    if failed:
        raise Failed(f"{len(failed)} of {ran[1]} failed: {', '.join(failed)}")
    if skipped and skipped[1] == ran[1]:
        raise Skipped("every test lacks its data (set CAIRN_DATA) or a library")
    left_out = f", {skipped[1]} skipped" if skipped else ""
    return f"{ran[1]} tests{left_out}", {"tests": int(ran[1])}


def judge_sanitizer(out):
    judge_tests(out)
    summary = re.findall(r"^=+ ((?:ERROR|RACECHECK) SUMMARY: .*)$", out, re.M)
    if not summary or not re.search(r"SUMMARY: 0 ", summary[-1]):
        raise Failed(summary[-1] if summary else "the sanitizer printed no summary")
    return summary[-1], None


def judge_replay(folder, precision):
    """Losses and the first gradient norm within 1e-7 of the recording in float64. Float32 reproduces
    Adam's first steps to 1e-4 and the last to 2e-3; RMSprop's are chaotic in it, so that only the first
    loss is close (tests/training/replay_test.cpp)."""

    def judge(out):
        ours = json.loads(out)
        with open(os.path.join(folder, "replay.json")) as file:
            recorded = json.load(file)
        pairs = list(zip(ours["losses"], recorded["losses"]))
        if len(pairs) != len(recorded["losses"]):
            raise Failed(f"{len(pairs)} losses, {len(recorded['losses'])} were recorded")
        steps, tight, loose, norm_allowed = len(pairs), 1e-7, 0, 1e-7
        if precision == "fp32":
            adam = recorded["optimizer"]["name"].startswith("adam")
            steps, tight, loose, norm_allowed = (3, 1e-4, 2e-3, 1e-4) if adam else (1, 1e-4, 0.2, 2e-3)
        for step, (loss, want) in enumerate(pairs):
            error = abs(loss / want - 1)
            allowed = tight if step < steps else loose
            if not error <= allowed:
                raise Failed(f"the loss of step {step + 1} is off by {error:.2g}, allowed {allowed:.0e}")
        norm = abs(ours["gradient_norms"][0] / recorded["gradient_norms"][0] - 1)
        if not norm <= norm_allowed:
            raise Failed(f"the first gradient norm is off by {norm:.2g}, allowed {norm_allowed:.0e}")
        return f"largest relative error of a loss {ours['max_relative_loss_error']:.2g}", ours

    return judge


def judge_bench(out):
    found = json.loads(out)
    if "kernels" in found:
        return f"{len(found['kernels'])} kernels", found
    if "ladder" in found:
        return ", ".join(f"{s['median_ms']:.3f}" for s in found["steps"]) + " ms", found
    says = f"{found['median_ms']:.3g} ms, {100 * found['share_of_limit']:.0f} % of the measured limit"
    wrong = [f"{c['problem']} by {c['wrong']}" for c in found["choices"]["algorithms"] if c["wrong"] != "none"]
    if wrong:  # not taken, so that the figures hold; but a fault all the same
        raise Failed(f"{says}; algorithms with other results: {'; '.join(wrong)}", found)
    return says, found


def judge_comparison(out):
    row = json.loads(out[out.index("[") :])[0]
    return f"{row['cairn']}, PyTorch {row['pytorch']}", row


def judge_training(folder, batch):
    """The time of whole steps, batches and all, once the shapes are kept: the median of the second half."""

    def judge(out):
        with open(os.path.join(folder, "log.jsonl")) as file:
            rows = [json.loads(line) for line in file]
        rates = [row["images_per_s"] for row in rows if row["kind"] == "step"]
        rate = statistics.median(rates[len(rates) // 2 :])
        return f"{rate:.0f} images/s", {"steps": json.loads(out)["steps"], "ms_a_step": 1000 * batch / rate}

    return judge


# ---- the steps ----------------------------------------------------------------------------------------------


def find_sanitizer():
    return shutil.which("compute-sanitizer") or shutil.which("compute-sanitizer", path="/usr/local/cuda/bin")


@functools.cache
def torch_sees_the_gpu():
    check = "import sys, torch; sys.exit(not torch.cuda.is_available())"
    try:
        return subprocess.run([sys.executable, "-c", check], capture_output=True, timeout=60).returncode == 0
    except subprocess.TimeoutExpired:
        return False


def steps(build, scratch):
    """(name, seconds, command or the reason to skip it, judge) in the order they run. Files go to `scratch`."""
    cairn = os.path.join(build, "cairn")

    def test(program, *filters):
        return [os.path.join(build, "tests", "cairn_test_" + program), "--gtest_filter=" + ":".join(filters)]

    def as_shapes_suggest(program, *filters):
        """Without measuring algorithms, which takes time and would look like a fault of what is tested."""
        return ["env", "XDG_CACHE_HOME=/dev/null", *test(program, *filters)]

    def sanitize(tool):
        if not find_sanitizer():
            return "compute-sanitizer was not found (it comes with the CUDA Toolkit)"
        rows = test("conformance", *(f"*.{row}" for row in SANITIZED))
        return [find_sanitizer(), "--tool", tool, "--error-exitcode", "9", *rows]

    def beside_pytorch(row):
        if not torch_sees_the_gpu():
            return f"{sys.executable} has no PyTorch that sees the GPU"
        return [sys.executable, os.path.join(ROOT, "tools/compare_pytorch.py"), "--device", "cuda", "--cairn", cairn,
                "--rounds", "1", "--only", row, "--json", "-"]

    yield "doctor", 30, [cairn, "doctor", "--json"], judge_doctor
    yield "conformance", 150, test("conformance", "*/cuda"), judge_tests
    yield ("products by each tile", 90,
           test("conformance", "*.conv2d/cuda/*", "*.residual_block/cuda/*", "*.conv2d_pair/cuda/*", "-*cuDNN*"), judge_tests)
    yield "conv2d by cuDNN", 120, test("conformance", "*.conv2d/cuda/cuDNN*"), judge_tests
    for folder in (os.path.join(ROOT, "tests/replay/hourglass2-rmsprop"), os.path.join(DATA, "replay/magicpoint-adam")):
        for precision in ("fp64", "fp32"):
            command = [cairn, "replay", folder, "--device", "cuda", "--precision", precision, "--json"]
            if not os.path.exists(folder):
                command = "the recording is absent; set CAIRN_DATA to the folder that has replay/"
            yield f"replay {os.path.basename(folder)} {precision}", 40, command, judge_replay(folder, precision)
    yield "models", 60, as_shapes_suggest("models", "*/cuda"), judge_tests
    yield "profiles and graphs", 30, test("runtime", "*Cuda*", "*/cuda"), judge_tests
    yield ("captured steps", 60,
           as_shapes_suggest("training", "*EverySystem*_cuda", "*CapturedStep*/cuda", "*LossesOn*/cuda"), judge_tests)
    yield "training in bf16", 60, as_shapes_suggest("training", "*Bf16Training*_cuda"), judge_tests
    yield ("captured detection", 60,
           as_shapes_suggest("models", "*CapturedDetection*_cuda", "*DetectorOnGraphs*/cuda"), judge_tests)
    yield "kernels", 60, test("kernels", "*/cuda*", "Ladders.*"), judge_tests
    size = ["--device", "cuda", "--json", "--size"]
    for precision in ("fp32", "tf32", "bf16"):
        yield (f"bench model superpoint {precision}", 30,
               [cairn, "bench", "model", "superpoint", *size, "480x640", "--precision", precision], judge_bench)
        yield (f"bench detect superpoint {precision}", 30,
               [cairn, "bench", "model", "superpoint", "--detect", *size, "480x640", "--precision", precision],
               judge_bench)
    for precision in ("fp32", "tf32", "bf16"):
        yield (f"bench train magicpoint {precision}", 40,
               [cairn, "bench", "train", "magicpoint", "--batch", "64", *size, "120x160", "--precision", precision],
               judge_bench)
    for precision in ("fp32", "tf32", "bf16"):
        yield (f"bench train stacked_hourglass {precision}", 60,
               [cairn, "bench", "train", "stacked_hourglass", "--batch", "16", *size, "256x256", "--precision", precision],
               judge_bench)
    run = os.path.join(scratch, "training")
    settings = ["train.steps=3000", "train.batch=64", "train.evaluate_at_end=false", "train.evaluate_every=1000000",
                "data.cache=4096", "data.workers=12", "model.norm=none"]  # as `bench train` has it
    yield ("train magicpoint bf16", 60,
           [cairn, "train", os.path.join(ROOT, "recipes/magicpoint.toml"), "--out", run, "--device", "cuda", "--precision",
            "bf16", "--json", *(word for s in settings for word in ("--set", s))], judge_training(run, 64))
    for row in PYTORCH_ROWS:
        yield f"beside PyTorch: {row}", 60, beside_pytorch(row), judge_comparison
    yield "bench kernels", 120, [cairn, "bench", "kernels", "--device", "cuda", "--json"], judge_bench
    for ladder in ("spatial_softmax", "soft_argmax", "gaussian", "residual", "double_norm"):
        yield (f"ladder {ladder}", 30,
               [cairn, "bench", "kernels", "--ladder", ladder, "--device", "cuda", "--json"], judge_bench)
    for tool in ("memcheck", "racecheck"):
        yield tool, 70, sanitize(tool), judge_sanitizer


def run(command, seconds):
    """Its output and exit code; what it left running is ended with it."""
    environment = with_pip_libraries({**os.environ, "CAIRN_SOURCE": ROOT, "CAIRN_DATA": DATA})
    with tempfile.TemporaryFile("w+", errors="replace") as out, tempfile.TemporaryFile("w+", errors="replace") as err:
        process = subprocess.Popen(command, stdout=out, stderr=err, env=environment, start_new_session=True)
        try:
            code = process.wait(seconds)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            code = None
        out.seek(0)
        err.seek(0)
        return out.read(), err.read(), code


def take(name, seconds, command, judge, log):
    """One step of the report."""
    step = {"name": name, "seconds": 0.0, "data": None}
    if isinstance(command, str):
        return {**step, "result": "skipped", "says": command}
    if seconds < 1:
        return {**step, "result": "failed", "says": f"not run: the {BUDGET_S} s of all steps were over"}
    start = time.monotonic()
    out, err, code = "", "", None
    try:
        out, err, code = run(command, seconds)
        if code is None:
            raise Failed(f"stopped after {seconds:.0f} s")
        says, data = judge(out) if code == 0 or judge in (judge_tests, judge_sanitizer) else (None, None)
        if code != 0:
            raise Failed(last_words(err or out, code))
        step.update(result="passed", says=says, data=data)
    except Skipped as e:
        step.update(result="skipped", says=str(e))
    except Failed as e:
        step.update(result="failed", says=str(e), data=e.data)
    except OSError as e:
        step.update(result="failed", says=f"{command[0]}: {e.strerror}")
    except Exception as e:  # whatever a step prints, the next one runs
        step.update(result="failed", says=f"its output could not be read: {type(e).__name__}: {e}")
    step["seconds"] = round(time.monotonic() - start, 1)
    if step["result"] == "failed":
        step["tail"] = (out[-3000:] + "\n" + err[-3000:]).strip()
    log.write(f"==== {name}: {step['result']}\n$ {' '.join(command)}\n{out}{err}\n")
    log.flush()
    return step


def last_words(text, code):
    lines = [line.strip() for line in text.strip().splitlines() if line.strip()]
    ending = f"ended by signal {-code}" if code < 0 else f"exit code {code}"
    return f"{ending}: {lines[0] if lines else 'it said nothing'}"


# ---- all of it ----------------------------------------------------------------------------------------------


def ask(*command):
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=20, cwd=ROOT)
        return done.stdout.strip() if done.returncode == 0 else ""
    except (OSError, subprocess.TimeoutExpired):
        return ""


def machine():
    gpu = ask("nvidia-smi", "--query-gpu=name,driver_version,memory.total,clocks.max.sm", "--format=csv,noheader")
    return {
        "gpu": gpu.splitlines()[0] if gpu else "nvidia-smi names none",
        "cpu": (re.search(r"model name\s*: (.*)", open("/proc/cpuinfo").read()) or [0, "unknown"])[1],
        "cores": os.cpu_count(),
        "commit": ask("git", "describe", "--always", "--dirty", "--abbrev=12") or "unknown",
    }


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    out, build = sys.argv[1], os.path.abspath(sys.argv[2])
    os.makedirs(out, exist_ok=True)
    report = {"date": datetime.date.today().isoformat(), "machine": machine(), "seconds": 0.0, "steps": []}
    start = time.monotonic()
    with tempfile.TemporaryDirectory() as scratch, open(os.path.join(out, "log.txt"), "w") as log:
        os.environ["XDG_CACHE_HOME"] = os.path.join(scratch, "cache")  # choices of algorithms, made here
        for name, seconds, command, judge in steps(build, scratch):
            left = BUDGET_S - (time.monotonic() - start)
            step = take(name, min(seconds, left), command, judge, log)
            print(f"{step['result']:8}{step['seconds']:7.1f} s  {name}: {step['says']}", flush=True)
            report["steps"].append(step)
            report["seconds"] = round(time.monotonic() - start, 1)
            failed = write(report, out)  # after each step: what was found is kept, whatever comes
    print(f"{os.path.join(out, 'report.md')}: " + (f"{failed} steps failed" if failed else "nothing failed"))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
