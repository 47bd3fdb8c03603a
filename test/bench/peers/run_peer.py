"""Runs one peer once, in a process of its own, and writes what it measured as JSON. See --help."""

import argparse
import importlib
import json
import platform
import resource
import sys
import time
from importlib import metadata

from peer import Peer, PeerSettings

# A module is imported for its own peer alone: PyTorch is no part of what ONNX Runtime needs.
LOADERS = {
    "transformers-pipeline": ("transformers_pipeline", "load_pipeline"),
    "pytorch-fp32": ("pytorch_sorted", "load_float32"),
    "pytorch-int8": ("pytorch_sorted", "load_dynamic_int8"),
    "onnxruntime-int8": ("onnxruntime_sorted", "load_int8"),
}
PACKAGES = ["torch", "transformers", "tokenizers", "onnx", "onnxruntime", "numpy"]


def load(name: str, settings: PeerSettings) -> Peer:
    module, function = LOADERS[name]
    return getattr(importlib.import_module(module), function)(settings)


def peak_bytes() -> int:
    """The most resident memory of this process."""
    try:
        with open("/proc/self/status", encoding="ascii") as status:
            (line,) = (line for line in status if line.startswith("VmHWM:"))
        return int(line.split()[1]) * 1024
    except FileNotFoundError:
        # Only the second choice: Linux lets a child inherit its parent's. macOS counts in bytes.
        unit = 1 if sys.platform == "darwin" else 1024
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="label a corpus with one peer, and measure it")
    parser.add_argument("peer", choices=LOADERS)
    parser.add_argument("--corpus", required=True, help="jsonl file with a field text")
    parser.add_argument("--answer", required=True, help="JSON file to write")
    parser.add_argument("--checkpoint", required=True)
    parser.add_argument("--graph", required=True, help="made by export_onnx.py")
    parser.add_argument("--threads", required=True, type=int)
    parser.add_argument("--batch-size", required=True, type=int)
    parser.add_argument("--max-length", required=True, type=int)
    return parser.parse_args()


def main() -> None:
    given = arguments()
    with open(given.corpus, encoding="utf-8") as file:
        texts = [json.loads(line)["text"] for line in file]
    settings = PeerSettings(given.checkpoint, given.graph, given.threads, given.batch_size, given.max_length)
    peer = load(given.peer, settings)
    # What is done once, at the first batch, is no part of a long run.
    peer.label(texts[: settings.batch_size])

    wall, cpu = time.perf_counter(), time.process_time()
    labels = peer.label(texts)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu

    answer = {
        "labels": labels,
        "wallSeconds": wall,
        "cpuSeconds": cpu,
        "processCpuSeconds": time.process_time(),
        "peakBytes": peak_bytes(),
        "notes": peer.notes,
        "versions": {
            "python": platform.python_version(),
            **{package: metadata.version(package) for package in PACKAGES},
        },
    }
    with open(given.answer, "w", encoding="utf-8") as file:
        json.dump(answer, file)


if __name__ == "__main__":
    main()
