"""Writes what tools/gpu_check.py found: report.md for people, report.json for programs."""
import json
import os


def table(head, rows):
    lines = ["| " + " | ".join(head) + " |", "|" + " --- |" * len(head)]
    for row in rows:
        lines.append("| " + " | ".join(str(cell).replace("|", "\\|").replace("\n", " ") for cell in row) + " |")
    return "\n".join(lines) + "\n"


def figures(report):
    """The tables of what was measured; one that cannot be written says why."""
    try:
        yield from tables_of(report)
    except (KeyError, TypeError, ValueError) as e:  # what a step printed is not what was expected
        yield f"The rest of the figures could not be written ({type(e).__name__}: {e}); report.json has them.\n"


def tables_of(report):
    data = {s["name"]: s["data"] for s in report["steps"] if s["data"]}
    replays = [(name[len("replay "):], *(f"{d[k]:.2g}" for k in ("max_relative_loss_error", "max_weight_error")))
               for name, d in data.items() if name.startswith("replay ")]
    if replays:
        yield "## Recorded steps\n\n" + table(["recording", "relative error of a loss", "error of a weight"], replays)
    benches = [(name[len("bench "):], d["batch"], d["size"], f"{d['median_ms']:.3f}",
                f"{d['eager_ms']:.3f}" if "eager_ms" in d else "", f"{d['first_ms']:.1f}",
                f"{d['gflop_per_s']:.0f}", f"{100 * d['share_of_limit']:.0f} %", f"{d['peak_bytes'] / 1e6:.1f}")
               for name, d in data.items() if name.startswith("bench ") and "median_ms" in d]
    if benches:
        yield "## Models\n\nThe limit is the rate of a float32 matrix product, measured in the same process.\n\n" + table(
            ["work", "batch", "size", "median ms", "eager ms", "first ms", "GFLOP/s", "of the limit", "peak MB"], benches)
    chosen = {c["problem"]: c for name, d in data.items() if name.startswith("bench ")
              for c in d.get("choices", {}).get("algorithms", []) if c["ms"] > 0}
    if chosen:
        yield ("## Algorithms of convolutions\n\nMeasured once; beside them what the shape alone suggests, and algorithms whose "
               "results differ from its by so much of the largest value.\n\n") + table(
            ["problem", "algorithm", "ms", "ms of the suggested one", "wrong"],
            [(p, c["algorithm"], f"{c['ms']:.4f}", f"{c['first_ms']:.4f}", c["wrong"]) for p, c in sorted(chosen.items())])
    compared = [(r["work"], r["pytorch"], r["cairn"], f"{r['ratio']:.2f}", r["goal"])
                for name, r in data.items() if name.startswith("beside PyTorch")]
    if compared:
        yield "## Beside PyTorch\n\nEager; compiled by tools/compare_pytorch.py --device cuda --compiled.\n\n" + table(
            ["work", "PyTorch", "Cairn", "ratio", "goal"], compared)
    step, whole = data.get("bench train magicpoint bf16"), data.get("train magicpoint bf16")
    if step and whole:
        share = 1 - step["median_ms"] / whole["ms_a_step"]
        yield (f"## Between steps\n\n{whole['steps']} steps of MagicPoint with their batches take {whole['ms_a_step']:.3f} ms "
               f"each, the captured step of `bench` {step['median_ms']:.3f}: {100 * share:.1f} % are the making of the data, three "
               "launches, and the host's (goal 3 %).\n")
    kernels = data.get("bench kernels")
    if kernels:
        yield (f"## Kernels\n\nLimits measured: {kernels['limit_gflop_per_s']:.0f} GFLOP/s, "
               f"in bf16 {kernels['limit_bf16_gflop_per_s']:.0f}, {kernels['limit_gb_per_s']:.0f} GB/s.\n\n") + table(
            ["kernel", "shape", "median ms", "GB/s", "GFLOP/s", "of the limit", "of a copy"],
            [(k["kernel"], k["shape"], f"{k['median_ms']:.4f}", f"{k['gb_per_s']:.0f}", f"{k['gflop_per_s']:.0f}",
              f"{100 * k['share_of_limit']:.0f} %", f"{100 * k['share_of_copy']:.0f} %" if "share_of_copy" in k else "")
             for k in kernels["kernels"]])
    for name, d in data.items():
        if name.startswith("ladder "):
            yield f"## Ladder of {d['ladder']}\n\n{d['run_shape']}\n\n" + table(
                ["step", "predicted ms", "measured ms", "share of the prediction"],
                [(s["step"], f"{s['predicted_ms']:.3f}", f"{s['median_ms']:.3f}",
                  f"{100 * s['predicted_ms'] / s['median_ms']:.0f} %") for s in d["steps"]])


def write(report, out):
    count = {r: sum(s["result"] == r for s in report["steps"]) for r in ("passed", "failed", "skipped")}
    parts = [f"# GPU check: {report['machine']['gpu'].split(',')[0]}, {report['date']}\n",
             f"{count['passed']} steps passed, {count['failed']} failed, {count['skipped']} were skipped, "
             f"in {report['seconds']:.0f} s.\n",
             table(["machine", ""], report["machine"].items()),
             table(["step", "result", "seconds", "what it says"],
                   [(s["name"], s["result"] if s["result"] != "failed" else "**failed**", s["seconds"], s["says"])
                    for s in report["steps"]]),
             *figures(report)]
    for s in report["steps"]:
        if s.get("tail"):
            parts.append(f"## {s['name']}: how it ended\n\n```\n{s['tail']}\n```\n")
    for name, text in (("report.json", json.dumps(report, indent=1) + "\n"), ("report.md", "\n".join(parts))):
        with open(os.path.join(out, name), "w") as file:
            file.write(text)
    return count["failed"]
