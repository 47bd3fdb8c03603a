"""How PyTorch is set in every process that uses it."""

import torch
from transformers import PreTrainedModel

from peer import PeerSettings


def use_torch(settings: PeerSettings) -> None:
    torch.set_num_threads(settings.threads)


def torch_notes(model: PreTrainedModel) -> dict[str, str]:
    return {
        # With the build, which the package's version does not name.
        "torch": torch.__version__,
        "kernels": torch.backends.cpu.get_cpu_capability(),
        "attention": model.config._attn_implementation,
    }
