"""Labels a corpus once, every text leaving at one depth, and writes what it measured as JSON. See --help."""

import argparse
import json
import platform
import time
from importlib import metadata
from pathlib import Path

import numpy as np
import torch
from tokenizers import BertWordPieceTokenizer

from bitvoyage_model import load_model

# Of ../peers, which PYTHONPATH names.
from run_peer import peak_bytes
from sorted_batches import padded

PACKAGES = ["torch", "transformers", "tokenizers", "numpy"]


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="label a corpus with PyTorch, and measure it")
    parser.add_argument("--model", required=True, help="folder of write-model.ts")
    parser.add_argument("--corpus", required=True, help="jsonl file with a field text")
    parser.add_argument("--answer", required=True, help="JSON file to write")
    parser.add_argument("--exits", required=True, help="layers with an exit, with commas between them")
    parser.add_argument("--depth", required=True, type=int, help="layer after which every text leaves")
    parser.add_argument("--threads", required=True, type=int)
    parser.add_argument("--batch-size", required=True, type=int)
    parser.add_argument("--max-length", required=True, type=int)
    return parser.parse_args()


def main() -> None:
    given = arguments()
    torch.set_num_threads(given.threads)
    with open(given.corpus, encoding="utf-8") as file:
        texts = [json.loads(line)["text"] for line in file]
    model = load_model(given.model, [int(layer) for layer in given.exits.split(",")], given.depth)
    tokenizer = BertWordPieceTokenizer(str(Path(given.model, "vocab.txt")), lowercase=True)
    first = tokenizer.token_to_id("[CLS]")

    def probabilities(some: list[str]) -> list[list[float]]:
        """In the order of the texts; batches in the order of their lengths, so that there is little padding."""
        encodings = tokenizer.encode_batch(some, add_special_tokens=False)
        encoded = [[first, *encoding.ids[: given.max_length - 1]] for encoding in encodings]
        order = sorted(range(len(some)), key=lambda row: len(encoded[row]))
        found = np.empty((len(some), 2), dtype=np.float32)
        for begin in range(0, len(order), given.batch_size):
            rows = order[begin : begin + given.batch_size]
            ids, mask = padded([encoded[row] for row in rows], 0)
            with torch.inference_mode():
                found[rows] = model(torch.from_numpy(ids), torch.from_numpy(mask)).softmax(-1).numpy()
        return found.tolist()

    # What is done once, at the first batch, is no part of a long run.
    probabilities(texts[: given.batch_size])
    wall, cpu = time.perf_counter(), time.process_time()
    answer = probabilities(texts)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    with open(given.answer, "w", encoding="utf-8") as file:
        json.dump(
            {
                "probabilities": answer,
                "wallSeconds": wall,
                "cpuSeconds": cpu,
                "processCpuSeconds": time.process_time(),
                "peakBytes": peak_bytes(),
                "versions": {
                    "python": platform.python_version(),
                    **{package: metadata.version(package) for package in PACKAGES},
                    "kernels": torch.backends.cpu.get_cpu_capability(),
                },
            },
            file,
        )


if __name__ == "__main__":
    main()
