"""ONNX Runtime on the graph of export_onnx.py."""

import numpy as np
import onnxruntime

from peer import Peer, PeerSettings
from sorted_batches import label_sorted


def load_int8(settings: PeerSettings) -> Peer:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = settings.threads
    session = onnxruntime.InferenceSession(settings.graph, options, providers=["CPUExecutionProvider"])

    def forward(ids: np.ndarray, mask: np.ndarray) -> np.ndarray:
        (logits,) = session.run(["logits"], {"input_ids": ids, "attention_mask": mask})
        return logits

    return Peer(label_sorted(settings, forward), {"graph": "fused by onnxruntime.transformers, quantize_dynamic"})
