"""Writes the checkpoint as an ONNX graph: exported from PyTorch, fused, weights in int8.

    python export_onnx.py CHECKPOINT GRAPH
"""

import logging
import shutil
import sys
import tempfile
import warnings
from pathlib import Path

import torch
from onnx import TensorProto
from onnxruntime.quantization import QuantType, quantize_dynamic
from onnxruntime.transformers.optimizer import optimize_model

from exit_classifier import ExitClassifier, load_classifier

INPUTS = ["input_ids", "attention_mask"]


class Logits(torch.nn.Module):
    """The exporter wants tensors back, not an output object."""

    def __init__(self, model: ExitClassifier):
        super().__init__()
        self.model = model

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
        return self.model(input_ids, attention_mask).logits


def export(checkpoint: str, graph: str) -> None:
    # The fusion knows attention that is written out, not PyTorch's fused function.
    model = load_classifier(checkpoint, attention="eager")
    ids = torch.ones((2, 16), dtype=torch.int64)
    mask = torch.tensor([[1] * 16, [1] * 10 + [0] * 6])
    torch.onnx.export(
        Logits(model),
        (ids, mask),
        graph,
        input_names=INPUTS,
        output_names=["logits"],
        dynamic_axes={**{name: {0: "batch", 1: "length"} for name in INPUTS}, "logits": {0: "batch"}},
        opset_version=17,
        # The fusion knows the graphs of this exporter.
        dynamo=False,
    )


def fuse(checkpoint: str, graph: str, fused: str) -> None:
    config = ExitClassifier.config_class.from_pretrained(checkpoint)
    # Level 0: what the session does at start needs not be in the file.
    optimized = optimize_model(
        graph, model_type="bert", num_heads=config.num_attention_heads, hidden_size=config.hidden_size, opt_level=0
    )
    operators = optimized.get_fused_operator_statistics()
    if operators["Attention"] != config.num_hidden_layers:
        raise RuntimeError(f"Expected {config.num_hidden_layers} layers with fused attention; got {operators}.")
    optimized.save_model_to_file(fused)


def main(checkpoint: str, graph: str) -> None:
    # The exporter and the quantiser advise on what is done here on purpose.
    warnings.simplefilter("ignore")
    logging.disable(logging.WARNING)
    with tempfile.TemporaryDirectory() as scratch:
        plain, fused, int8 = (str(Path(scratch, name)) for name in ("plain.onnx", "fused.onnx", "int8.onnx"))
        export(checkpoint, plain)
        fuse(checkpoint, plain, fused)
        quantize_dynamic(
            fused,
            int8,
            weight_type=QuantType.QInt8,
            per_channel=True,
            # Of the tensors behind fused operators, whose types it cannot infer.
            extra_options={"DefaultTensorType": TensorProto.FLOAT},
        )
        # It takes its name when it is whole.
        shutil.copy(int8, f"{graph}.partial")
    Path(f"{graph}.partial").replace(graph)


if __name__ == "__main__":
    main(*sys.argv[1:])
