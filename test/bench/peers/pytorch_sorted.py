"""PyTorch by hand, in float32 and with int8 weights."""

import warnings

import numpy as np
import torch
from torch.ao.quantization import per_channel_dynamic_qconfig, quantize_dynamic

from exit_classifier import load_classifier
from peer import Peer, PeerSettings
from sorted_batches import label_sorted
from torch_settings import torch_notes, use_torch


def load_float32(settings: PeerSettings) -> Peer:
    use_torch(settings)
    model = load_classifier(settings.checkpoint)
    return Peer(label_sorted(settings, forward_of(model)), torch_notes(model))


def load_dynamic_int8(settings: PeerSettings) -> Peer:
    """Linear layers with int8 weights; their inputs are quantised batch by batch.

    One scale for each output channel costs no time and is closer to float32 than one for each matrix.
    """
    use_torch(settings)
    with warnings.catch_warnings():
        # It is deprecated, and so are the tensors that it makes.
        warnings.simplefilter("ignore")
        model = quantize_dynamic(
            load_classifier(settings.checkpoint), {torch.nn.Linear: per_channel_dynamic_qconfig}, dtype=torch.qint8
        )
    notes = {**torch_notes(model), "engine": torch.backends.quantized.engine}
    return Peer(label_sorted(settings, forward_of(model)), notes)


def forward_of(model: torch.nn.Module):
    def forward(ids: np.ndarray, mask: np.ndarray) -> np.ndarray:
        with torch.inference_mode():
            return model(torch.from_numpy(ids), torch.from_numpy(mask)).logits.numpy()

    return forward
