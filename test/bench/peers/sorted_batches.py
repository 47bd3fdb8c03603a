"""Labels texts in the order of their lengths, so that a batch has little padding."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
from tokenizers import Tokenizer

from peer import PeerSettings

Forward = Callable[[np.ndarray, np.ndarray], np.ndarray]
"""input_ids [B,S], attention_mask [B,S], both int64 → logits [B,labels]"""


def label_sorted(settings: PeerSettings, forward: Forward) -> Callable[[list[str]], list[int]]:
    tokenizer = Tokenizer.from_file(str(Path(settings.checkpoint, "tokenizer.json")))
    tokenizer.enable_truncation(settings.max_length)
    tokenizer.no_padding()
    pad = json.loads(Path(settings.checkpoint, "config.json").read_text("utf-8"))["pad_token_id"]

    def label(texts: list[str]) -> list[int]:
        encoded = [encoding.ids for encoding in tokenizer.encode_batch_fast(texts)]
        order = sorted(range(len(texts)), key=lambda row: len(encoded[row]))
        labels = np.empty(len(texts), dtype=np.int64)
        for begin in range(0, len(order), settings.batch_size):
            rows = order[begin : begin + settings.batch_size]
            labels[rows] = forward(*padded([encoded[row] for row in rows], pad)).argmax(-1)
        return labels.tolist()

    return label


def padded(rows_of_ids: list[list[int]], pad: int) -> tuple[np.ndarray, np.ndarray]:
    """To the longest row: input_ids and attention_mask."""
    shape = (len(rows_of_ids), max(map(len, rows_of_ids)))
    ids = np.full(shape, pad, dtype=np.int64)
    mask = np.zeros(shape, dtype=np.int64)
    for row, own in enumerate(rows_of_ids):
        ids[row, : len(own)] = own
        mask[row, : len(own)] = 1
    return ids, mask
