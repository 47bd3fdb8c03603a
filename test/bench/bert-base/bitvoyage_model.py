"""BitVoyage/FastBERT as PyTorch runs it: transformers' BERT up to a depth, with an exit after each of some layers."""

import json
import math
from pathlib import Path

import torch
from torch import nn
from transformers import BertConfig, BertModel
from transformers.utils import logging


class BitVoyageExit(nn.Module):
    """logits(prelogits(attention over narrow·x that [CLS] asks)), nothing bent in between."""

    def __init__(self, hidden_size: int, size: int, heads: int, labels: int):
        super().__init__()
        self.heads = heads
        self.dense_narrow = nn.Linear(hidden_size, size)
        self.selfAttention = nn.ModuleDict({part: nn.Linear(size, size) for part in ("query", "key", "value")})
        self.dense_prelogits = nn.Linear(size, size)
        self.dense_logits = nn.Linear(size, labels)

    def forward(self, states: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
        """states [B,S,H], attention_mask [B,S] of 0 and 1 → logits [B,labels]

        As published it masks nothing and takes texts one by one; masking lets a padded batch say the same.
        """
        z = self.dense_narrow(states)
        parts = self.selfAttention
        query, key, value = self._split(parts["query"](z[:, :1])), self._split(parts["key"](z)), self._split(parts["value"](z))
        scores = query @ key.transpose(-1, -2) / math.sqrt(query.shape[-1])
        scores = scores.masked_fill(attention_mask[:, None, None, :] == 0, -math.inf)
        attended = (scores.softmax(-1) @ value).flatten(1)
        return self.dense_logits(self.dense_prelogits(attended))

    def _split(self, x: torch.Tensor) -> torch.Tensor:
        """[B,S,size] → [B,heads,S,size ÷ heads]"""
        return x.view(x.shape[0], x.shape[1], self.heads, x.shape[2] // self.heads).transpose(1, 2)


class EarlyExitModel(nn.Module):
    """All layers up to `depth`, and all exits up to there: what a text that leaves at `depth` costs."""

    def __init__(self, config: BertConfig, task: dict, exits: list[int], depth: int):
        super().__init__()
        shallow = BertConfig.from_dict({**config.to_dict(), "num_hidden_layers": depth})
        self.bert = BertModel(shallow, add_pooling_layer=False)
        self.exits = nn.ModuleDict(
            {
                str(layer): BitVoyageExit(
                    config.hidden_size, task["cls_hidden_size"], task["cls_num_attention_heads"], task["num_class"]
                )
                for layer in exits
                if layer <= depth
            }
        )

    def forward(self, ids: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """ids, mask [B,S] → logits [B,labels] of the last exit"""
        states = self.bert(ids, attention_mask=mask, output_hidden_states=True).hidden_states
        return [own(states[int(layer)], mask) for layer, own in self.exits.items()][-1]


def load_model(folder: str, exits: list[int], depth: int) -> EarlyExitModel:
    """A model as write-model.ts writes it, in float32 and ready to infer."""
    logging.set_verbosity_error()
    config = BertConfig.from_json_file(Path(folder, "bert_config.json"))
    task = json.loads(Path(folder, "fastbert_cls.json").read_text("utf-8"))
    model = EarlyExitModel(config, task, exits, depth)
    saved = torch.load(Path(folder, "Epoch_1.bin"), weights_only=True)
    wanted = model.state_dict()
    model.load_state_dict({name: saved[_saved_name(name, config.num_hidden_layers)] for name in wanted})
    return model.eval()


def _saved_name(name: str, layers: int) -> str:
    name = name.replace("LayerNorm.weight", "LayerNorm.gamma").replace("LayerNorm.bias", "LayerNorm.beta")
    if name.startswith("bert."):
        return name.removeprefix("bert.").replace("encoder.layer.", "graph.layers.")
    _, layer, rest = name.split(".", 2)
    own = "final_classifier" if int(layer) == layers else f"branch_classifier_{int(layer) - 1}"
    return f"graph.layer_classifiers.{own}.{rest}"
