"""The checkpoint as every peer runs it: transformers' BERT and, as its classifier, the exit after the last layer.

There are no early exits here, so that labels are those of Sluice at full depth.
"""

import math

import torch
from torch import nn
from transformers import BertConfig, BertModel, BertPreTrainedModel
from transformers.modeling_outputs import SequenceClassifierOutput
from transformers.utils import logging


class FastBertExit(nn.Module):
    """z = tanh(narrow·x); attention over z that [CLS] alone asks; logits·tanh(hidden·output·attended).

    Sluice's exits of kind `fastbert`, with the names that their tensors have in a checkpoint.
    """

    def __init__(self, hidden_size: int, size: int, heads: int, labels: int):
        super().__init__()
        self.heads = heads
        self.narrow = nn.Linear(hidden_size, size)
        self.query = nn.Linear(size, size)
        self.key = nn.Linear(size, size)
        self.value = nn.Linear(size, size)
        self.output = nn.Linear(size, size)
        self.hidden = nn.Linear(size, size)
        self.logits = nn.Linear(size, labels)

    def forward(self, states: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
        """states [B,S,H], attention_mask [B,S] of 0 and 1 → logits [B,labels]"""
        z = torch.tanh(self.narrow(states))
        query, key, value = self._split(self.query(z[:, :1])), self._split(self.key(z)), self._split(self.value(z))
        scores = query @ key.transpose(-1, -2) / math.sqrt(query.shape[-1])
        scores = scores.masked_fill(attention_mask[:, None, None, :] == 0, -math.inf)
        attended = (scores.softmax(-1) @ value).flatten(1)
        return self.logits(torch.tanh(self.hidden(self.output(attended))))

    def _split(self, x: torch.Tensor) -> torch.Tensor:
        """[B,S,size] → [B,heads,S,size ÷ heads]"""
        return x.view(x.shape[0], x.shape[1], self.heads, x.shape[2] // self.heads).transpose(1, 2)


class ExitClassifier(BertPreTrainedModel):
    """`from_pretrained` reads a checkpoint of Sluice as it is; the tensors of earlier exits are passed over."""

    _keys_to_ignore_on_load_unexpected = [r"^exits\."]

    def __init__(self, config: BertConfig):
        super().__init__(config)
        teacher = config.sluice["exits"][-1]
        if teacher["kind"] != "fastbert" or teacher["layer"] != config.num_hidden_layers:
            raise ValueError(f"Expected a fastbert exit after layer {config.num_hidden_layers}; got {teacher}.")
        self.num_labels = len(config.sluice["labels"])
        self.bert = BertModel(config, add_pooling_layer=False)
        exit_of_teacher = FastBertExit(config.hidden_size, teacher["size"], teacher["heads"], self.num_labels)
        self.exits = nn.ModuleDict({str(teacher["layer"]): exit_of_teacher})
        self.post_init()

    def forward(self, input_ids, attention_mask, token_type_ids=None, **kwargs) -> SequenceClassifierOutput:
        outputs = self.bert(input_ids, attention_mask=attention_mask, token_type_ids=token_type_ids)
        (teacher,) = self.exits.values()
        return SequenceClassifierOutput(logits=teacher(outputs.last_hidden_state, attention_mask))


def load_classifier(checkpoint: str, attention: str = "sdpa") -> ExitClassifier:
    """In float32, whatever the checkpoint's tensors are stored in, and ready to infer."""
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    model = ExitClassifier.from_pretrained(checkpoint, dtype=torch.float32, attn_implementation=attention)
    return model.eval()
